"""A student's network: members and ties, what can be measured, what is covered, what changed.

The student (ego) is tied to every member; ties among members are undirected, and one pair counts
once, however often and in whichever direction it was entered. Rows come from files that anybody
may have changed: what has the wrong type counts as no answer, and nothing here raises for it.

Formulas, with n members, t pairs of them tied, and p_ij the part of i's ties that goes to j:

- density 2t / (n(n-1)) (Wasserman & Faust 1994)
- effective size n - 2t/n, efficiency that divided by n (Burt 1992; Borgatti 1997)
- constraint, the sum over members j of (p_ij + sum over q of p_iq p_qj) squared (Burt 1992)
- IQV, (1 - sum of squared shares) K/(K-1), with K categories offered (Gibbs & Poston 1975)
- E-I index (E - I) / (E + I), with E outside of the student's sector (Krackhardt & Stern 1988)

A measure describes. No value is better than another, and none is ever marked. They are a few sums
over at most fifteen people, so they are written out here: loading a library for graphs would take
longer than a page may take.
"""

from __future__ import annotations

from pcn_course.network.change import changes
from pcn_course.network.coverage import Coverage, Need, coverage
from pcn_course.network.measures import Measure, constraint, density, measures
from pcn_course.network.members import (
    ASKED,
    Member,
    Network,
    Tie,
    numbered_members,
    read_network,
)

__all__ = [
    "ASKED",
    "Coverage",
    "Measure",
    "Member",
    "Need",
    "Network",
    "Tie",
    "changes",
    "constraint",
    "coverage",
    "density",
    "measures",
    "numbered_members",
    "read_network",
]
