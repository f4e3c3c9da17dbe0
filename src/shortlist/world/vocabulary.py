"""The words of the world: genres, their tags, and the words that titles of a tag are made of."""

from typing import Final

GENRES: Final[dict[str, dict[str, str]]] = {
    "food": {
        "street food": "noodles skewer vendor sizzling dumpling stall bazaar crispy",
        "baking": "sourdough oven pastry dough frosting croissant whisk buttery",
        "home cooking": "recipe dinner skillet garlic stew leftovers simmer onion",
        "coffee": "espresso latte barista roast grinder crema pourover beans",
        "vegan": "tofu lentil chickpea plantbased oatmilk hummus smoothie kale",
    },
    "music": {
        "guitar": "riff chord acoustic fretboard strum solo capo pedal",
        "piano": "keys sonata chopin pedalboard melody arpeggio grand sheet",
        "rap": "freestyle verse beat cypher bars rhyme mixtape flow",
        "singing": "vocal cover karaoke harmony acapella soprano choir range",
        "dj sets": "techno mix drop vinyl bassline rave turntable remix",
    },
    "sport": {
        "football": "goal striker penalty keeper dribble derby freekick midfield",
        "basketball": "dunk crossover hoop rebound buzzer playoffs courtside assist",
        "running": "marathon pace stride trail kilometre sneakers interval finish",
        "climbing": "boulder crux belay harness summit chalk overhang ropes",
        "martial arts": "kick sparring judo dojo takedown knockout grapple belt",
    },
    "games": {
        "shooters": "headshot sniper clutch ranked loadout respawn recoil squad",
        "strategy": "siege empire build turn campaign outpost rush conquest",
        "speedruns": "glitch skip frame record split route any leaderboard",
        "board games": "dice meeple tabletop rulebook expansion cards deck chess",
        "retro games": "arcade pixel cartridge console joystick sprite cabinet eightbit",
    },
    "animals": {
        "cats": "kitten purr whiskers meow litter tabby pounce nap",
        "dogs": "puppy fetch leash retriever bark paws zoomies walk",
        "birds": "parrot feather nest owl chirp hawk migration wings",
        "aquarium": "reef coral tank betta shrimp fins algae filter",
        "wildlife": "lion savanna elephant predator herd safari cub jungle",
    },
    "travel": {
        "beaches": "island lagoon snorkel palm sunset surf turquoise hammock",
        "mountains": "peak alpine glacier hike ridge cabin snowfall valley",
        "city walks": "downtown alley skyline tram rooftop district midnight neon",
        "vanlife": "camper roadtrip campsite solar hitch diesel offgrid parking",
        "trains": "railway sleeper locomotive platform express conductor viaduct station",
    },
    "style": {
        "makeup": "lipstick contour blush eyeliner palette glow foundation lashes",
        "streetwear": "hoodie outfit thrift denim drip fit jacket lookbook",
        "nails": "manicure gel polish acrylic cuticle chrome tips french",
        "hair": "braid curls bleach fade haircut salon fringe blowout",
        "skincare": "serum retinol cleanser sunscreen routine pores moisturiser toner",
    },
    "making": {
        "woodwork": "chisel joinery oak lathe dovetail sawdust workbench plane",
        "sewing": "fabric stitch pattern hem thimble quilt bobbin seam",
        "pottery": "clay kiln glaze wheel ceramic mug throwing bowl",
        "repair": "broken solder restore screwdriver leak toolkit hinge salvage",
        "drawing": "sketch ink pencil shading portrait doodle easel linework",
    },
    "science": {
        "space": "rocket orbit telescope galaxy launch moon nebula astronaut",
        "physics": "magnet gravity pendulum quantum laser friction vortex energy",
        "chemistry": "reaction beaker acid flask crystal flame catalyst element",
        "history": "empire ancient pharaoh castle viking scroll dynasty ruins",
        "maths": "proof theorem puzzle prime geometry fraction infinity matrix",
    },
    "comedy": {
        "sketches": "awkward roommate office parody skit scene boss interview",
        "pranks": "prank reaction jumpscare neighbour fake hidden gotcha dare",
        "stand up": "crowd heckler mic punchline tour joke special audience",
        "memes": "meme template relatable pov cursed shitpost trend loop",
        "impressions": "voice accent celebrity mimic cartoon dub character spoton",
    },
    "machines": {
        "cars": "turbo drift engine exhaust garage supercar clutchpedal torque",
        "motorbikes": "helmet wheelie throttle chopper ride gearbox cafe twisties",
        "gadgets": "unboxing phone review battery headset drone foldable charger",
        "coding": "python bug compiler terminal backend deploy keyboard refactor",
        "3d printing": "filament nozzle layer prototype resin slicer bracket extruder",
    },
    "life": {
        "parenting": "toddler bedtime stroller newborn nursery tantrum lunchbox twins",
        "gardening": "tomato compost seedling harvest greenhouse pruning soil bloom",
        "cleaning": "declutter vacuum stain laundry spotless organise scrub shelf",
        "money": "budget savings invest salary frugal debt rent side",
        "languages": "grammar spanish fluent vocabulary accentless phrase polyglot lesson",
    },
}
"""Twelve genres of five tags; eight words typical of each tag."""

# fmt: off
PLAIN_WORDS: Final[tuple[str, ...]] = (
    "best", "first", "daily", "easy", "secret", "ultimate", "honest", "quick", "finally",
    "weekend", "tiny", "giant", "perfect", "beginner", "favourite", "wild", "calm", "late",
    "early", "epic", "simple", "real", "new", "old", "slow", "loud", "hidden", "final",
    "unexpected", "satisfying", "morning", "night", "summer", "winter", "challenge", "story",
    "tips", "part", "update", "day", "attempt", "mistake", "lesson", "moment", "guide", "hack",
    "test", "compilation", "behind", "together", "alone",
)
# fmt: on
"""Words that say nothing of what a video is about."""

LANGUAGES: Final[tuple[str, ...]] = ("en", "es", "pt", "id")
LANGUAGE_SHARES: Final[tuple[float, ...]] = (0.52, 0.22, 0.15, 0.11)
AGE_BANDS: Final[tuple[str, ...]] = ("13-17", "18-24", "25-34", "35-49", "50+")
AGE_SHARES: Final[tuple[float, ...]] = (0.14, 0.31, 0.28, 0.18, 0.09)
ACTIVITIES: Final[tuple[str, ...]] = ("light", "moderate", "high", "full")

GENRE_NAMES: Final = tuple(GENRES)
TAG_NAMES: Final = tuple(tag for tags in GENRES.values() for tag in tags)
TAG_GENRE: Final = tuple(g for g, tags in enumerate(GENRES.values()) for _ in tags)
TAG_WORDS: Final = tuple(
    tuple(words.split()) for tags in GENRES.values() for words in tags.values()
)
