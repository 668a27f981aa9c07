"""The command for feedback: held, released, as files to upload, as Word; regrade requests."""

from __future__ import annotations

import getpass
import os
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pcn_course.characters import printable, printable_lines
from pcn_course.cli.group import FILE, FOLDER, TEACHING, command, room_in, room_option

if TYPE_CHECKING:
    from pcn_course.grading.feedback.returning import Returned
    from pcn_course.grading.gradebook.marks import Marking
    from pcn_course.grading.gradebook.regrade_requests import Request

_WHERE = {
    "canvas": "In Canvas: Gradebook, the assignment's menu, Re-upload Submissions.",
    "moodle": "In Moodle: the assignment, Grading action, Upload multiple feedback files in a zip.",
    "brightspace": "In Brightspace: the assignment's submissions, Add Feedback Files.",
    "blackboard": "In Blackboard: Gradebook, Work Offline, Upload.",
}
"""Where each LMS takes the file that is uploaded to it."""
_DO = ("release", "hold", "word", "requests", "answer", "ask")


@command(TEACHING)
@click.argument("step")
@click.option("--hold", is_flag=True, help="Nobody gets feedback on this step until --release.")
@click.option("--release", is_flag=True, help="Write all letters, and give them to all at once.")
@click.option("--even-unmarked", is_flag=True, help="Release although criteria are unmarked.")
@click.option("--replace", is_flag=True, help="Write the files for the LMS again, with --release.")
@click.option(
    "--blackboard",
    type=FILE,
    help="Blackboard's download of this step's column with comments, for --release.",
)
@click.option("--word", type=FOLDER, help="Write a Word letter for each student into this folder.")
@click.option("--requests", is_flag=True, help="List the requests for regrading.")
@click.option("--answer", type=int, metavar="ID", help="Answer a request, with --text.")
@click.option("--ask", metavar="STUDENT", help="Enter a request that came to you, with --text.")
@click.option("--criterion", help="What --ask is about. Default: the whole step.")
@click.option("--text", help="The words of an answer or a request.")
@click.option("--points", type=float, help="The criterion's new points, with --answer.")
@click.option("--names", is_flag=True, help="Show students' ids in place of submission codes.")
@click.option("--as", "marker", help="The name under which this is kept. Default: your login.")
@room_option
def feedback(  # noqa: PLR0913 (each is an option)
    *,
    step: str,
    folder: Path | None,
    word: Path | None,
    answer: int | None,
    ask: str | None,
    criterion: str | None,
    text: str | None,
    points: float | None,
    marker: str | None,
    hold: bool,
    release: bool,
    even_unmarked: bool,
    replace: bool,
    blackboard: Path | None,
    requests: bool,
    names: bool,
) -> None:
    """Hold or release feedback, write it as Word, answer requests.

    Without an option it says how feedback on STEP (such as step-1-goals) stands.

    --release writes one page for each student. Where their work was collected from an LMS's ZIP, it
    also writes one file to upload: for Canvas, Moodle and Brightspace a ZIP with the names that the
    LMS gave, for Blackboard its gradebook file with a feedback column. Students who can't be
    reached this way are listed.
    """
    chosen = [
        name
        for name, given in zip(_DO, (release, hold, word, requests, answer, ask), strict=True)
        if given is not None and given is not False
    ]
    if len(chosen) > 1:
        raise click.UsageError(f"Choose one of --{' and --'.join(chosen)}.")
    if chosen and chosen[0] in ("answer", "ask") and not text:
        raise click.UsageError(f"--{chosen[0]} needs --text.")
    from pcn_course.course import UnknownStepError
    from pcn_course.grading.feedback.returning import ReturnError
    from pcn_course.grading.gradebook.marks import Marking
    from pcn_course.grading.gradebook.regrade_requests import RequestError
    from pcn_course.grading.gradebook.room import RoomError
    from pcn_course.grading.gradebook.scores import MarkError

    room = room_in(folder)
    try:
        step = room.course.step(step).id
        marking = Marking(room, _me(marker))
        match chosen:
            case ["release"]:
                _see_all_graded(marking, step, even_unmarked=even_unmarked, names=names)
                _release(marking, step, replace=replace, blackboard=blackboard)
            case ["hold"]:
                _hold(marking, step)
            case ["word"] if word:
                _word(marking, step, word)
            case ["requests"]:
                _requests(marking, step, names=names)
            case ["answer"] if answer is not None:
                _answer(marking, answer, text or "", points)
            case ["ask"] if ask is not None:
                _ask(marking, step, ask, criterion, text or "")
            case _:
                _standing(marking, step)
    except UnknownStepError as error:
        known = ", ".join(one.id for one in room.course.steps)
        raise click.ClickException(f"There is no step {step}. There are {known}.") from error
    except (MarkError, RequestError, ReturnError, RoomError) as error:
        raise click.ClickException(error.plain) from error
    finally:
        room.close()


def _me(given: str | None) -> str:
    """The name under which things are kept, as on the marking page."""
    if name := os.environ.get("JUPYTERHUB_USER") or given or os.environ.get("PCN_MARKER"):
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "marker"


def _called(marking: Marking, step: str, student: str, *, names: bool) -> str:
    """Return what a list calls a submission: its code, as on the grading page, unless ``names``."""
    from pcn_course.grading.gradebook.scores import pseudonym

    return student if names else f"Submission {pseudonym(marking.room.course_id, step, student)}"


def _see_all_graded(marking: Marking, step: str, *, even_unmarked: bool, names: bool) -> None:
    from pcn_course.grading.feedback.returning import waiting

    if not marking.listed(step):
        raise click.ClickException(
            f"There is no submission of {step} in the gradebook. Collect and autograde first."
        )
    open_ones = waiting(marking, step)
    if open_ones and not even_unmarked:
        for one in open_ones:
            what = ", ".join(one.criteria) if one.graded else "collected, not graded yet"
            click.echo(f"{_called(marking, step, one.student, names=names)}: {what}", err=True)
        raise click.ClickException(
            "These are not marked, so nothing was released. Mark them, "
            "or release all the same with --even-unmarked."
        )


def _release(marking: Marking, step: str, *, replace: bool, blackboard: Path | None) -> None:
    from pcn_course.grading.feedback.returning import release
    from pcn_course.grading.gradebook.regrade_requests import take_in

    take_in(marking, step)
    done = release(marking.room, step, marking.marker, replace=replace, blackboard=blackboard)
    letters = _letters(done.letters)
    if done.by_exchange:
        click.echo(f"Released for all: {letters} on {step}.")
    elif done.uploads:
        click.echo(f"Written for all: {letters} on {step}, in {done.folder}.")
    else:
        click.echo(
            f"Written for all: {letters} on {step}, in {done.folder}. There is no "
            "exchange here, so give them out in your own way; --word writes them as Word."
        )
        return
    _uploads(done, step, blackboard=blackboard)


def _uploads(done: Returned, step: str, *, blackboard: Path | None) -> None:
    """Print the files to upload, where they go, and the students whom they don't reach."""
    from pcn_course.grading.lms.uploads import LMS_NAMES

    for upload in done.uploads:
        count = f"{upload.reached} student{'' if upload.reached == 1 else 's'}"
        click.echo(f"To upload to {LMS_NAMES[upload.lms]}: {upload.path} ({count}).")
        click.echo(f"  {_WHERE[upload.lms]}")
        if upload.lms == "blackboard" and blackboard is None:
            click.echo(
                "  Blackboard will make a text column of it. To fill in its own feedback, download "
                "this step's column with comments and name that file with --blackboard."
            )
    if done.missed:
        click.echo("Not reached. Return these yourself:")
    for student, why in done.missed.items():
        click.echo(f"  {student}: {why} ({done.folder / student / step}).")


def _hold(marking: Marking, step: str) -> None:
    from pcn_course.grading.feedback.release import release_state, set_release_state
    from pcn_course.grading.feedback.returning import drop_uploads

    before = release_state(marking.room.engine, step)
    set_release_state(marking.room.engine, step, "held", marking.marker)
    click.echo(f"Feedback on {step} is held: nobody gets it until you say --release.")
    if before == "released":
        click.echo("What was released before stays where students can read it.")
    for path in drop_uploads(marking.room, step):
        click.echo(f"Removed: {path}. The next --release writes it again.")


def _letters(count: int) -> str:
    return f"{count} letter{'' if count == 1 else 's'}"


def _word(marking: Marking, step: str, folder: Path) -> None:
    from pcn_course.grading.feedback.release import release_state
    from pcn_course.grading.feedback.returning import write_words

    written, without = write_words(marking.room, step, folder)
    click.echo(f"Written to {folder}: {_letters(len(written))}.")
    if without:
        click.echo(f"Not graded yet, so without a letter: {', '.join(without)}.")
    if release_state(marking.room.engine, step) == "held":
        click.echo("Feedback on this step is held: keep these until you release it.")


def _requests(marking: Marking, step: str, *, names: bool) -> None:
    from pcn_course.grading.gradebook.regrade_requests import requests_of, take_in

    _, odd = take_in(marking, step)
    for line in odd if names else ():
        click.echo(printable(line), err=True)
    if odd and not names:
        click.echo(f"Requests that can't be used: {len(odd)}. See them with --names.", err=True)
    found = requests_of(marking.room.engine, step=step)
    for one in found:
        click.echo(_told(marking, one, names=names))
    if not found:
        click.echo(f"Nobody asked for regrading of {step}.")


def _answer(marking: Marking, number: int, text: str, points: float | None) -> None:
    from pcn_course.grading.gradebook.regrade_requests import answer

    click.echo(_told(marking, answer(marking, number, text, points)))
    click.echo("The student reads it in the letter, after the next --release.")


def _ask(marking: Marking, step: str, student: str, criterion: str | None, text: str) -> None:
    from pcn_course.grading.gradebook.regrade_requests import ask

    click.echo(_told(marking, ask(marking, student, step, criterion, text)))


def _standing(marking: Marking, step: str) -> None:
    from pcn_course.grading.feedback.release import release_state
    from pcn_course.grading.feedback.returning import waiting
    from pcn_course.grading.gradebook.regrade_requests import requests_of, take_in

    state = release_state(marking.room.engine, step)
    says = {
        "held": "held: nobody gets it until you say --release",
        "released": "released for all",
        None: "not held; `nbgrader release_feedback` or --release gives it to all",
    }
    click.echo(f"Feedback on {step} is {says[state]}.")
    listed, open_ones = marking.listed(step), waiting(marking, step)
    click.echo(f"Submissions: {len(listed)}. Not marked through: {len(open_ones)}.")
    take_in(marking, step)
    asked = [one for one in requests_of(marking.room.engine, step=step) if one.answer is None]
    click.echo(f"Requests for regrading without an answer: {len(asked)}.")


def _told(marking: Marking, one: Request, *, names: bool = False) -> str:
    """A request in a few lines."""
    who = _called(marking, one.step, one.student, names=names)
    about = marking.criteria[one.criterion].title if one.criterion else "the whole step"
    lines = [f"{one.id}. {who}, {one.at:%Y-%m-%d %H:%M} UTC, on {about}:"]
    lines.append(textwrap.indent(printable_lines(one.text), "   "))
    if one.answer is None:
        lines.append(f"   No answer yet: --answer {one.id} --text …")
    else:
        moved = "" if one.after is None else f" ({one.before} → {one.after})"
        lines.append(f"   {one.answered_by}{moved}: {one.answer}")
    return "\n".join(lines)
