//! What the made-up catalogue speaks of. All of it was invented for it.

/// A name in English, German and French.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) en: &'static str,
    pub(super) de: &'static str,
    pub(super) fr: &'static str,
}

const fn word(en: &'static str, de: &'static str, fr: &'static str) -> Word {
    Word { en, de, fr }
}

/// How the variants of a product differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Differ {
    /// Not at all.
    #[default]
    No,
    Colour,
    ColourAndSize,
    Material,
    /// Volume of a package.
    Pack,
}

/// A kind of product: where it belongs and what it is like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// Category path.
    pub(super) path: &'static str,
    /// Name of one of them, which is the product type too.
    pub(super) noun: Word,
    /// Cheapest and dearest, in whole dollars.
    pub(super) dollars: (u32, u32),
    /// Lightest and heaviest, in grams.
    pub(super) grams: (u32, u32),
    pub(super) differ: Differ,
}

const fn kind(
    path: &'static str,
    noun: Word,
    dollars: (u32, u32),
    grams: (u32, u32),
    differ: Differ,
) -> Kind {
    Kind { path, noun, dollars, grams, differ }
}

/// Kinds, the common ones first: the choice is skewed towards them.
pub(super) const KINDS: &[Kind] = &[
    kind(
        "Clothing > Women > Knitwear",
        word("Jumper", "Pullover", "Pull"),
        (39, 149),
        (250, 700),
        Differ::ColourAndSize,
    ),
    kind(
        "Clothing > Men > Shirts",
        word("Shirt", "Hemd", "Chemise"),
        (29, 119),
        (180, 400),
        Differ::ColourAndSize,
    ),
    kind(
        "Home > Lighting > Floor Lamps",
        word("Floor Lamp", "Stehlampe", "Lampadaire"),
        (69, 399),
        (2500, 9000),
        Differ::Colour,
    ),
    kind(
        "Home > Kitchen > Cookware > Pans",
        word("Frying Pan", "Bratpfanne", "Poêle"),
        (24, 129),
        (800, 2400),
        Differ::Material,
    ),
    kind(
        "Clothing > Women > Dresses",
        word("Dress", "Kleid", "Robe"),
        (49, 219),
        (200, 600),
        Differ::ColourAndSize,
    ),
    kind(
        "Home > Kitchen > Tableware > Mugs",
        word("Mug", "Becher", "Tasse"),
        (9, 29),
        (250, 450),
        Differ::Colour,
    ),
    kind(
        "Sports > Outdoor > Backpacks",
        word("Backpack", "Rucksack", "Sac à dos"),
        (49, 249),
        (600, 1900),
        Differ::Colour,
    ),
    kind(
        "Food > Pantry > Coffee",
        word("Coffee Beans", "Kaffeebohnen", "Café en grains"),
        (8, 39),
        (250, 1000),
        Differ::Pack,
    ),
    kind(
        "Clothing > Shoes > Trainers",
        word("Trainers", "Turnschuhe", "Baskets"),
        (59, 179),
        (500, 900),
        Differ::ColourAndSize,
    ),
    kind(
        "Home > Living Room > Cushions",
        word("Cushion", "Kissen", "Coussin"),
        (15, 59),
        (300, 700),
        Differ::Colour,
    ),
    kind(
        "Electronics > Audio > Headphones",
        word("Headphones", "Kopfhörer", "Casque audio"),
        (39, 399),
        (150, 350),
        Differ::Colour,
    ),
    kind(
        "Food > Pantry > Tea",
        word("Loose Tea", "Loser Tee", "Thé en vrac"),
        (6, 29),
        (75, 500),
        Differ::Pack,
    ),
    kind(
        "Home > Lighting > Table Lamps",
        word("Table Lamp", "Tischlampe", "Lampe de table"),
        (29, 199),
        (900, 3500),
        Differ::Colour,
    ),
    kind(
        "Sports > Yoga > Mats",
        word("Yoga Mat", "Yogamatte", "Tapis de yoga"),
        (19, 99),
        (900, 2600),
        Differ::Colour,
    ),
    kind(
        "Home > Living Room > Furniture > Armchairs",
        word("Armchair", "Sessel", "Fauteuil"),
        (199, 999),
        (9000, 28000),
        Differ::Material,
    ),
    kind(
        "Electronics > Computing > Keyboards",
        word("Keyboard", "Tastatur", "Clavier"),
        (49, 229),
        (500, 1300),
        Differ::Colour,
    ),
    kind(
        "Garden > Tools > Hand Tools",
        word("Trowel", "Pflanzkelle", "Transplantoir"),
        (9, 39),
        (200, 500),
        Differ::No,
    ),
    kind(
        "Home > Bedroom > Bed Linen",
        word("Duvet Cover", "Bettbezug", "Housse de couette"),
        (39, 189),
        (900, 2200),
        Differ::ColourAndSize,
    ),
    kind(
        "Stationery > Paper > Notebooks",
        word("Notebook", "Notizbuch", "Carnet"),
        (5, 29),
        (150, 500),
        Differ::Colour,
    ),
    kind(
        "Garden > Planters > Indoor",
        word("Plant Pot", "Blumentopf", "Cache-pot"),
        (12, 79),
        (700, 6000),
        Differ::Colour,
    ),
    kind(
        "Toys > Building > Blocks",
        word("Wooden Blocks", "Holzklötze", "Cubes en bois"),
        (19, 89),
        (800, 3000),
        Differ::No,
    ),
    kind(
        "Home > Living Room > Furniture > Side Tables",
        word("Side Table", "Beistelltisch", "Table d'appoint"),
        (79, 449),
        (4000, 12000),
        Differ::Material,
    ),
    kind(
        "Electronics > Audio > Speakers",
        word("Speaker", "Lautsprecher", "Enceinte"),
        (59, 599),
        (700, 6500),
        Differ::Colour,
    ),
    kind(
        "Toys > Games > Board Games",
        word("Board Game", "Brettspiel", "Jeu de société"),
        (14, 69),
        (600, 2000),
        Differ::No,
    ),
    kind("Sports > Outdoor > Tents", word("Tent", "Zelt", "Tente"), (119, 699), (1500, 7000), Differ::Colour),
    kind(
        "Stationery > Writing > Fountain Pens",
        word("Fountain Pen", "Füller", "Stylo plume"),
        (19, 249),
        (20, 60),
        Differ::Colour,
    ),
    kind(
        "Home > Kitchen > Cookware > Casseroles",
        word("Casserole", "Schmortopf", "Cocotte"),
        (59, 329),
        (2500, 6500),
        Differ::Colour,
    ),
    kind(
        "Garden > Furniture > Benches",
        word("Bench", "Gartenbank", "Banc"),
        (129, 699),
        (12000, 38000),
        Differ::Material,
    ),
];

/// Colours with a word for pictures.
pub(super) const COLOURS: &[Word] = &[
    word("Charcoal", "Anthrazit", "Anthracite"),
    word("Ivory", "Elfenbein", "Ivoire"),
    word("Moss", "Moosgrün", "Mousse"),
    word("Rust", "Rostrot", "Rouille"),
    word("Navy", "Marineblau", "Bleu marine"),
    word("Sand", "Sand", "Sable"),
    word("Plum", "Pflaume", "Prune"),
    word("Sky", "Himmelblau", "Bleu ciel"),
];

pub(super) const MATERIALS: &[Word] = &[
    word("Oak", "Eiche", "chêne"),
    word("Steel", "Stahl", "acier"),
    word("Linen", "Leinen", "lin"),
    word("Wool", "Wolle", "laine"),
    word("Brass", "Messing", "laiton"),
    word("Cotton", "Baumwolle", "coton"),
    word("Ash", "Esche", "frêne"),
    word("Ceramic", "Keramik", "céramique"),
];

pub(super) const SIZES: &[&str] = &["S", "M", "L", "XL"];

pub(super) const PACKS: &[&str] = &["250 g", "500 g", "1 kg"];

/// Parts of invented names.
pub(super) const STARTS: &[&str] = &[
    "Al", "Bre", "Cor", "Dun", "El", "Fen", "Gal", "Hol", "Ka", "Lin", "Mar", "Nor", "Or", "Sol", "Tor",
    "Vel",
];
pub(super) const ENDS: &[&str] = &[
    "ben", "da", "dera", "gard", "hamn", "ia", "iko", "len", "mere", "na", "ra", "rik", "sa", "tane", "vik",
    "wen",
];

/// What makers call themselves.
pub(super) const HOUSES: &[&str] =
    &["Works", "Studio", "& Daughters", "Supply", "Atelier", "Co.", "Brothers", "Makers"];

pub(super) const TAGS: &[&str] = &[
    "new",
    "bestseller",
    "gift",
    "handmade",
    "organic",
    "recycled",
    "limited",
    "outlet",
    "vegan",
    "made-to-order",
    "spring",
    "winter",
];

pub(super) const CARE: &[&str] =
    &["wipe clean", "hand wash", "machine wash at 30°", "do not tumble dry", "dishwasher safe", "keep dry"];

/// Sentences; `{}` is the product, in its own words.
pub(super) const SENTENCES: &[&str] = &[
    "The {} was drawn for daily use and gets better with it.",
    "Every part can be replaced, and every part is kept in stock for ten years.",
    "It is finished by hand, so that no two pieces are quite alike.",
    "We make it in small runs and stop when the material is used up.",
    "The first sketch was made on a train; the last prototype survived three winters.",
    "Its weight is where you want it, and its edges are where you do not notice them.",
    "The packaging is cardboard and paper, without any tape.",
    "It goes well with the other pieces of the series, and does not insist on it.",
    "Returns are free for thirty days, repairs for two years.",
    "Whoever has had a {} for long knows what usually breaks; that is what we made stronger.",
    "The colour comes from the material itself and does not wear off.",
    "Three families tested it for half a year before we were content.",
];

pub(super) const SENTENCES_DE: &[&str] = &[
    "Für den täglichen Gebrauch entworfen, von Hand vollendet.",
    "Jedes Teil lässt sich ersetzen, zehn Jahre lang.",
    "Wir fertigen in kleinen Serien.",
    "Die Verpackung besteht aus Karton und Papier.",
];

pub(super) const SENTENCES_FR: &[&str] = &[
    "Dessiné pour tous les jours, fini à la main.",
    "Chaque pièce peut être remplacée pendant dix ans.",
    "Nous fabriquons en petites séries.",
    "L'emballage est en carton et en papier.",
];
