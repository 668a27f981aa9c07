"""Word lists of the checker: short, from general knowledge, made for this course.

Each is a set of words in lower case without accents, as `plain` writes them. They hold words, not
people: a name in here is a common one in the United States, nobody's in particular.
"""

from __future__ import annotations

import unicodedata

_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'"})


def plain(word: str) -> str:
    """A word in lower case, without accents and without a closing ``'s``."""
    bare = unicodedata.normalize("NFKD", word.translate(_APOSTROPHES))
    bare = "".join(one for one in bare if not unicodedata.combining(one)).lower()
    return bare.removesuffix("'s").removesuffix("'")


def words_of(words: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(words.split())


def _lines(words: str) -> frozenset[str]:
    return frozenset(line.strip() for line in words.replace("\n", ",").split(",") if line.strip())


GIVEN = words_of("""
aaliyah aaron abdul abigail abraham adam adrian adriana ahmed aidan aisha alan albert alberto alejandra
alejandro alex alexander alexandra alexis alfred alice alicia alisha allison alma alvin amanda amelia amir amy
ana andre andrea andrew andy angela angelica angelina anita ann anna anne annette annie anthony antonio april
ariana arlene arthur asha ashley audrey barbara beatrice becky ben benjamin bernadette bernard beth bethany
betty beverly bob bobby bonnie brad bradley brandon brenda brendan brian brianna bridget britney bruce bryan
caitlin caleb calvin cameron camila carl carla carlos carmen carolyn catherine cathy cecilia cedric charlene
charles charlie cheryl chloe chris christina christine christopher cindy claire clara clarence claudia colin
colleen connie connor corey courtney craig curtis cynthia daisy damian dan dana daniel daniela danielle danny
darius darlene darnell darren darryl dave david dawn deborah debra deepak deandre denise dennis derek deshawn
desiree destiny devon diana diane diego dmitri dolores dominic don donald donna doris dorothy doug douglas
duane dustin dwayne dylan earl ebony eddie edgar eduardo edward edwin eileen elaine elena eli elijah elizabeth
ella ellen emily emma enrique eric erica erika erin ernest esmeralda esperanza esteban esther ethan ethel eva
evan evelyn fatima felicia felipe fernando frances francis francisco fred gabriel gabriela gail gary george
gerald gerardo gilbert gina gladys glen glenn gloria gonzalo gordon greg gregory guadalupe guillermo gustavo
gwen hannah harold harriet harry hassan heather hector heidi helen henry herbert hiroshi holly howard hugo
ibrahim ian ingrid irene isaac isabel isabella isaiah ismael ivan jackie jacob jacqueline jaime jake jamal
james jamie jan jane janet janice jared jasmine jason javier jay jayden jeanette jeff jeffrey jenna jennifer
jenny jeremy jermaine jerome jerry jesse jessica jesus jill jim jimmy jo joan joanna joe joel john johnny
jonathan jorge jose joseph joshua joyce juan juanita judith judy julia julian julie julio justin kaitlyn karen
karl kate katherine kathleen kathryn kathy katie kayla keisha keith kelly kelsey ken kendra kenneth kevin
khadija kim kimberly kofi kristen kristin kristina kyle lakisha lamar larry latisha latoya laura lauren
laurie lawrence leah lee lena leo leon leonard leroy leslie leticia liam lillian linda lindsay lisa lori
lorraine louis louise lucas lucia lucille lucy luis luke luz lydia lynn mackenzie malik marcia marco marcus
margaret maria mariah marie marilyn mario marion marisol marissa marjorie marlene marquis marsha martha
martin marvin mary matt matthew maureen maurice max megan mei melanie melissa melvin mercedes michael michele
michelle miguel mike mildred ming miranda misty mitchell mohamed mohammed molly monica monique morgan muhammad
nadia nancy naomi natalie natasha nathan nathaniel neil nguyen nicholas nick nicole nina noah nora norma
norman olga oliver olivia omar oscar owen pablo paige pamela patrice patricia patrick patty paul paula pauline
pedro peggy peter phil philip phillip phyllis priscilla priya quentin rachel rafael ralph ramon ramona randy
rashad raul raymond rebecca regina renee rhonda ricardo richard rick ricky rita rob robert roberta roberto
rodney roger roland ron ronald ronnie rosa rosario rosemary roxanne roy russell ruth ryan sabrina sally sam
samantha samuel sandra santiago sara sarah saul scott sean sergio seth shane shanice shannon sharon shaun
shawn sheila shelby sherry shirley siobhan sofia sonia sophia sophie stacey stacy stanley stella stephanie
stephen steve steven stuart susan suzanne sylvia tamara tamika tammy tanya tara tasha ted teresa terrance
terrell terrence terry theodore theresa thomas tiffany tim timothy tina todd tom tommy toni tony tonya
tracy travis trevor tricia tyler tyrone valerie vanessa vera vernon veronica vicki victor victoria vincent
viola vivian wanda warren wayne wendy wesley whitney william willie xavier ximena yolanda yusuf yvette yvonne
zachary zoe
pete deb liz jess nate zack zach gabe abe bert bess betsy carrie cody darla dottie ed ernie estelle flo
frankie geri ginny gus hank hattie ida jed jodi josie kat kris lashonda lashawn latonya laverne lou mabel
maggie mandy marge marty mattie maxine meg millie mindy minnie mitch mona moses myra nell nellie ollie otis
patti perry polly reggie roz rudy shelly sid stan sylvester tanisha tatum tessa theo tia trina trudy velma
vicky wally walt wilma winnie yvonne zeke adela araceli blanca consuelo efrain elva emilio ernesto federico
felix flor graciela hilda ignacio itzel joaquin lorena lourdes magdalena marcela margarita mariana maribel
martina nayeli nelson octavio perla ramiro raquel rigoberto rocio rogelio salvador socorro susana tomas ulises
xiomara yadira yesenia antwan dequan jaquan jamila keyana lakeisha laquisha marquise raheem rashida shaniqua
tanesha tyree tyrese
abby abdi aiden amara aminata anjali ari ava aubrey beto chidi chuy ellie farid fatou gianna hailey halima hana hodan
igor imani ivana jaxon jayla kaden kai keanu kenji kiana kiara kwame kyra layla leila leilani lexi lila lola lupe maddie
makayla mamadou mateo maya mckenna mel mia milo mustafa nevaeh ngozi nia oksana penelope ravi sadie samir sanjay sergei
shawna sienna skylar svetlana tariq tatiana tess thiago trish ty tyrell wei xander yasmin yuki yuri zainab zara zion
""")

# Names that are words, places or things as well: alone they need something that points to a person.
DOUBLE = words_of("""
amber angel april art aurora austin autumn basil bill bishop brandy brook brooklyn carol chad chance charity charlotte
chase christian clay cliff constance crystal daisy dakota dale dallas dawn dean destiny devon diamond drew duke earl ebony
eden eugene eve faith fern florence forest forrest frank gene genesis georgia grace grant guy harmony harper hazel heather
heaven holly hope houston hunter iris israel ivy jack jackson jade jasmine jean jesus jordan joy june justice king lamar
lance lane lily lincoln london luna luz madison marina mark marsha marshall mason max may mercedes mercy merit miles ming
misty morgan norm olive orlando paris parker pat patience patty pearl penny phoenix pierce precious prince quinn reed rich
riley river robin rod roman rose ruby sage sandy santiago savannah serenity sidney skip sky sterling stone sue summer sunny
sydney trinity trip viola violet virginia wade ward will willow zion
""")

# Thinkers whom social workers name; they are nobody's clients.
THINKERS = _lines("""
aaron beck, abraham maslow, albert bandura, angela davis, atul gawande, audre lorde, bell hooks, bessel van der kolk
brene brown, bruce perry, carl rogers, carol gilligan, dorothy day, erik erikson, frances perkins, fred rogers
harriet tubman, ida b wells, jane addams, john bowlby, john dewey, judith herman, kimberle crenshaw, malcolm knowles
martin luther king, mary ainsworth, mary richmond, murray bowen, paulo freire, salvador minuchin, sigmund freud
urie bronfenbrenner, virginia satir
""")

STATES = _lines("""
alabama, alaska, arizona, arkansas, california, colorado, connecticut, delaware, florida, georgia, hawaii, idaho
illinois, indiana, iowa, kansas, kentucky, louisiana, maine, maryland, massachusetts, michigan, minnesota
mississippi, missouri, montana, nebraska, nevada, new hampshire, new jersey, new mexico, new york, north carolina
north dakota, ohio, oklahoma, oregon, pennsylvania, rhode island, south carolina, south dakota, tennessee, texas
utah, vermont, virginia, washington, west virginia, wisconsin, wyoming, puerto rico, guam
""")
STATE_CODES = words_of("""
AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR
PA RI SC SD TN TX UT VT VA WA WV WI WY DC PR
""")

# Cities whose name is hardly anything else.
CITIES = _lines("""
albuquerque, anaheim, anchorage, ann arbor, asheville, atlanta, baltimore, baton rouge, bakersfield, billings
birmingham, boise, boston, boulder, buffalo, burlington, cedar rapids, chattanooga, chicago, cincinnati, cleveland
colorado springs, columbus, corpus christi, dayton, denver, des moines, detroit, duluth, el paso, eugene, fargo
flagstaff, flint, fort wayne, fort worth, fresno, grand rapids, green bay, greensboro, hartford, honolulu
indianapolis, jacksonville, jersey city, kansas city, knoxville, laredo, las cruces, las vegas, lexington
little rock, long beach, los angeles, louisville, lubbock, memphis, mesa, miami, milwaukee, minneapolis
missoula, montgomery, nashville, new haven, new orleans, new york city, norfolk, oakland, oklahoma city, omaha
palo alto, peoria, philadelphia, pittsburgh, portland, providence, pueblo, raleigh, reno, rochester, sacramento
salt lake city, san antonio, san diego, san francisco, san jose, santa ana, santa fe, scranton, seattle
shreveport, sioux falls, spokane, st. louis, st. paul, syracuse, tacoma, tallahassee, tampa, toledo, topeka
tucson, tulsa, waco, wichita, winston-salem, yonkers, youngstown, yuma, washington dc, washington d.c
""")
# Cities that are something else as well: places only after “in”, “from” and their like.
DOUBLE_CITIES = _lines("""
arlington, aurora, austin, brooklyn, camden, charleston, charlotte, compton, dallas, durham, gary, harlem, houston
jackson, lansing, lincoln, lockhart, madison, manhattan, mobile, orlando, oxford, phoenix, queens, richmond, riverside
salem, savannah, selma, springfield, stockton, the bronx, troy
""")

PEOPLES = words_of("""
african afghan alaska alaskan american americans anglo apache arab armenian asian bangladeshi bosnian brazilian
british burmese cambodian canadian caribbean catholic cherokee chinese choctaw christian colombian congolese
cuban dutch english eritrean ethiopian european filipino french german guatemalan haitian hawaiian hindu hispanic
hmong honduran hopi indian indigenous iranian iraqi irish israeli italian jamaican japanese jewish karen kenyan
korean kurdish lakota laotian latina latino latinx lebanese liberian mayan mexican muslim native navajo nepali
nigerian ojibwe pacific pakistani palestinian persian polish portuguese pueblo quaker roma romani russian salvadoran
samoan sikh tribal sioux somali spanish sudanese swedish syrian thai tibetan tongan turkish ukrainian venezuelan
vietnamese welsh yemeni yoruba zuni amish mennonite
apsaalooke arapaho blackfeet cheyenne chickasaw comanche creek crow dakota dine haida ho-chunk inuit iroquois kickapoo
lumbee menominee mohawk muscogee oneida osage paiute pawnee pima potawatomi quechua salish seminole seneca shawnee
shoshone tlingit tohono ute yakama yupik albanian algerian argentinian azerbaijani belarusian burundian chechen chilean
chuukese dominican ecuadorian fijian filipina gambian garifuna georgian ghanaian greek guinean guyanese hungarian
indonesian ivorian kazakh lithuanian malian marshallese moldovan mongolian moroccan nicaraguan norwegian oromo pashtun
peruvian punjabi rohingya rwandan senegalese serbian sierra-leonean tamil tigrayan tunisian turkmen ugandan uighur
uzbek wolof zulu hasidic mormon chaldean
""")

# Words that stand in the names of agencies, laws, methods, tools and titles, and in no person's.
COMMON = words_of("""
a academy act action acts administration adoption adult adults advisory advocacy advocate affairs african after
against age agency aid aids all alliance and anonymous answer any anybody anyone api app apple are army art as ask
assessment assistance assistant associate associates association at authority bachelor basic before behavior
behavioral best big bill biology black blog bluesky board boys brief brothers budget building bureau business
by calendly call campus canada capitol care carer carers case cases caseworker catholic center centers centre
century certified chair chapter charities check child children childrens church circle city class client clients
clinic clinical club coalition code cognitive college color committee common communities community conference
congress contact contacts coordinator corps council counsel counseling counselor county court covid crisis
cross culture data day days deaf dear deputy department design development dialectical digital director disability
disease district division do doctor doctoral does domestic drive dropbox each early east eastern education elder
email emergency employment equity ethics european evaluation evidence excel exchange expert facebook fair faith
families family father federal fellow feedback first follow food for force form foster foundation four friends from
fund game general girls give global goal goals good google government governor graduate grand green group groups
guide habitat has have head health hello help her hi high his history home hope hospice hospital hot house housing
how human humanity i if in income indian initiative inspector instagram institute integration intensive internet
interview is it its job journal judge just justice kids kind king kinship latino law lead leader leadership league
learning left legal lgbtq library life light line linkedin list listen live local long looking love low
manager management march master mastodon may meals measure medicaid medical medicare medicine meet memorial mental
mentor method microsoft middle mindfulness mother motivational my national nations native need needs network
networks new next no north northern not notes nurse nurses office officer old on one online open or orcid organisation
organization our out outlook outreach padlet panel parent parents park partners partnership party patient peace peer
people person personal phone physical plan planning play please podcast police policy positive power practice
practitioner practitioners prevention primary principal prison private problem process professional professor
program programme project protection psychiatry psychology public quality question questions rant raindrop read
reality red reddit reform region regional rehabilitation relations report reports research researchgate residential
resources respite response restorative review right rights river road role rural safe safety salvation save
scale scholar school schools science scientist screening search second section security senate senior service
services session she shelter signal sister sisters skills skype slack small so social society solution
solutions some south southern special specialist staff start state states step steps storm story strategies street
strengths student students studies study substance substack success summary summit supervisor supervision support
supreme survey system systems table task teacher teachers team teams tech technology teen telehealth test
text thank thanks that the their theory therapist therapists therapy there these they this those threads three
title to together tool toolkit tools training transition trauma treatment trust twitter two un under
unit united university up urban us use user valley value values veteran veterans victims video view village
vocational volunteer volunteers voluntary vote warm was watch way we web welcome welfare well west western what
whatsapp wheels when where which who whom whose why will wishes with woman women word wordpress work worker workers
workforce working workshop world would write year years yes york you young your youth youtube zoom zotero
feedly inoreader diigo discord google's meet docs sheets forms powerpoint windows internet kindly regards sincerely
american christmas thanksgiving easter eve new-year ramadan hanukkah holiday halloween juneteenth
monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays
sundays epic canvas gestalt latin january february march april may june july august september october november december
canada mexico england scotland ireland france germany italy spain australia zealand india china japan korea africa
asia europe america kingdom uk usa britain ukraine russia syria iraq iran afghanistan haiti cuba brazil guatemala
honduras salvador vietnam somalia nigeria kenya ethiopia congo sudan
freud freire bronfenbrenner bandura vygotsky maslow erikson bowlby ainsworth piaget granovetter burt putnam addams
""")

# Endings of the words that methods, laws and agencies are named with.
ABSTRACT = (
    "tion", "tions", "ment", "ments", "ness", "ity", "ities", "ing", "ology", "ship", "ism", "ance",
    "ence", "ological", "ional", "ioral", "ative", "ical", "based", "focused", "informed", "ized",
)  # fmt: skip

# Words that open a sentence and are not names.
STARTERS = words_of("""
about actually add after again ah also although always an another anybody anyone apart are around as ask at attached
because been being besides between both but bring can contact could currently despite did does doing during either
even ever every everybody everyone exactly few finally find first from funny further generally get gets given
go going got had happy hardly has have having he hence here hers hey him his honestly how however i if imagine in
indeed instead into is it its last lately later let lets like looking lots luckily make many maybe me meanwhile met might
mine more most much must my near need neither never next nobody nor not nothing now of often oh ok okay on once
only or other others our ours over perhaps picture please probably quick quite rather reach read recently reply
ring rather say see send several shall share she should since sincerely so some somebody someone sometimes somewhere
soon sorry speaking still such suddenly sure take talk tell than thanks that theirs them then these they think this
those though through thus to today together tomorrow tonight too try ugh under unfortunately unless until upon update
use usually very visit wait want was we well were what whatever when whenever where wherever whether which while
who whoever why will with within without won wonder would wow yes yesterday yet you your yours
grace frank rich hope faith mark may will bill
""")

TITLES = words_of("""
mr mrs ms miss mx dr prof professor judge officer pastor reverend rev sheriff father sister brother nurse deputy
detective sergeant sgt principal aunt auntie uncle grandma grandpa rabbi imam coach señora senora señor senor
""")
# Titles that are also roles in front of any word, so they need a name of the lists after them.
WEAK_TITLES = words_of("""
judge officer father sister brother nurse principal professor detective deputy coach pastor sheriff
""")

# What a name in a cell may not hold: words of roles and of what people work in.
ROLES = words_of("""
administrator aide analyst attorney bilingual chaplain chief clerk clinician co-chair co-lead colleague
consultant dean dentist dietitian doula editor educator elder epidemiologist evaluator executive faculty former
founder funder grandparent grantmaker guardian guidance head interpreter intern investigator
lawyer leader liaison librarian lived manager mayor midwife navigator neighbor neighbour organizer
paramedic paraprofessional pediatrician pharmacist physician planner president probation
provider psychiatrist psychologist receptionist recruiter representative researcher
retired scholar secretary self sponsor statistician steering superintendent surgeon
trainer treasurer trustee tutor vice lcsw lmsw msw bsw dsw phd rn md
grant writer friend cousin boss member experience data occupational speech
""")
