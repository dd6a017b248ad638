"""The classes of Glyphs and how each icon package names them, for tools/make_glyphs.py.

Chosen by eye: what a person recognises at 20 pixels, in each style. Left out are signs and text,
whole scenes, faces and gestures, and all but one of several that look alike.
"""

from __future__ import annotations

# names of icons without their hyphens; a slash gives fxemoji's where that is another,
# and a colon the English name
_CLASSES = """
airplane alarmclock:alarm_clock alien alienmonster:space_invader ambulance anchor ant
artistpalette:palette automobile:car baby babybottle:baby_bottle babychick:chick balloon banana
baseball bathtub battery bear beermug:beer_mug bell bicycle bird birthdaycake:birthday_cake bomb
books bread briefcase bus cactus camera candle cat cherries cherryblossom:cherry_blossom chicken
chocolatebar:chocolate_bar christmastree:christmas_tree church circustent:circus_tent
classicalbuilding:temple cloud cocktailglass:cocktail_glass collision:explosion cookie
cooking:fried_egg cow crescentmoon:crescent_moon crocodile crown crystalball:crystal_ball
cyclone:spiral deciduoustree:tree deliverytruck:truck dog dolphin door doughnut dress droplet:drop
earofcorn/earofmaize:ear_of_corn eggplant/aubergine elephant envelope eye factory
ferriswheel:ferris_wheel fire fireengine:fire_engine fish floppydisk/floppydisk2:floppy_disk
forkandknife:fork_and_knife fourleafclover:clover frenchfries:french_fries frog gamedie:die
gemstone/gem:gem ghost glasses goat graduationcap:graduation_cap grapes guitar hamburger hammer
handbag headphone:headphones helicopter highheeledshoe/heels:high_heel
highspeedtrain:high_speed_train highvoltage/bolt:lightning honeybee:bee honeypot:honey_pot horse
hotbeverage:cup_of_coffee hotpepper/chilipepper:chilli hourglassdone/hourglass:hourglass
housewithgarden:house icecream:ice_cream_sundae jackolantern:pumpkin japanesecastle:castle jeans
key kitchenknife/hocho:knife koala ladybeetle:ladybird lemon lightbulb:light_bulb lipstick
locked/lock:padlock locomotive/steamlocomotive:steam_engine lollipop mapleleaf:maple_leaf
meatonbone:meat melon microscope militarymedal:medal moai/moyai moneybag:money_bag monkey
motorcycle mouse mouth moviecamera:film_camera mushroom musicalkeyboard:piano
musicalnote:musical_note openbook:open_book package:parcel palmtree:palm_tree panda/pandaface
pawprints:paw_prints peach pear pencil penguin pig pill pineapple pizza/sliceofpizza
policecar:police_car rabbitface/bunny:rabbit racingcar/racecar:racing_car radio rainbow ram:sheep
redapple:apple redheart:heart riceball:rice_ball ring rocket rose sailboat:sailing_boat
satelliteantenna:satellite_dish saxophone scissors/blackscissors:scissors scroll seedling ship
shortcake:slice_of_cake skull snail snake snowflake snowmanwithoutsnow:snowman soccerball:football
softicecream:ice_cream_cone spider star straightruler:ruler strawberry sunflower sunwithface:sun
sushi syringe taxi telephone/blacktelephone:telephone television thumbsup:thumb tiger toilet
tophat:top_hat tornado tractor tridentemblem:trident trophy trumpet tshirt/mansshirt:t_shirt tulip
turtle umbrella verticaltrafficlight:traffic_light videogame:game_controller violin volcano
watermelon whale wineglass:wine_glass womansboot/boot:boot wrappedgift/present:present
wrench:spanner
"""


def read_classes() -> list[tuple[str, str, str]]:
    """Return the classes in the order of their keys.

    Returns:
        One (name, key, key in fxemoji) per class. Keys are names of icons without hyphens.
    """
    found = []
    for entry in _CLASSES.split():
        keys, _, name = entry.partition(':')
        key, _, other = keys.partition('/')
        found.append((name or key, key, other or key))
    return found
