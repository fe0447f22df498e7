//! What the name of a field says of its value.

use super::Replaced;

/// Fields by what is in them, without regard to case, `_`, `-` and the [`PREFIXES`].
const FIELDS: &[(Replaced, &[&str])] = &[
    (
        Replaced::Name,
        &[
            "firstname",
            "lastname",
            "middlename",
            "fullname",
            "givenname",
            "familyname",
            "surname",
            "nickname",
            "partnername",
            "customername",
            "buyername",
            "contactname",
            "accountname",
            "ownername",
            "username",
            "login",
            "company",
            "companyname",
            "societe",
            "nom",
            "prenom",
            "alias",
            "attention",
            "customer",
            "buyer",
            "author",
            "accholdername",
            "signedby",
            "nicename",
            "infosocietenom",
        ],
    ),
    (
        Replaced::Email,
        &[
            "email",
            "emails",
            "mail",
            "emailaddress",
            "emailnormalized",
            "emailformatted",
            "emailfrom",
            "replyto",
        ],
    ),
    (
        Replaced::Address,
        &[
            "address",
            "address1",
            "address2",
            "address3",
            "addressline1",
            "addressline2",
            "street",
            "street2",
            "streetname",
            "streetnumber",
            "line1",
            "line2",
            "city",
            "town",
            "lieu",
            "postcode",
            "postalcode",
            "zip",
            "zipcode",
            "contactaddress",
            "contactaddresscomplete",
            "formattedaddress",
            "interphone",
            "latitude",
            "longitude",
            "partnerlatitude",
            "partnerlongitude",
            "addressindex",
        ],
    ),
    (
        Replaced::Phone,
        &[
            "phone",
            "phone1",
            "phone2",
            "phonenumber",
            "phonemobile",
            "phonepro",
            "phoneperso",
            "phonesanitized",
            "mobile",
            "mobilephone",
            "cellphone",
            "telephone",
            "tel",
            "fax",
            "whatsapp",
        ],
    ),
    (
        Replaced::Identifier,
        &[
            "vat",
            "vatnumber",
            "vatid",
            "euvat",
            "euvatnumber",
            "taxid",
            "taxnumber",
            "tvaintra",
            "siret",
            "siren",
            "rcs",
            "dni",
            "nif",
            "cif",
            "ssn",
            "companyregistry",
            "idprof1",
            "idprof2",
            "idprof3",
            "idprof4",
            "idprof5",
            "idprof6",
            "iban",
            "bic",
            "swift",
            "accnumber",
            "accountnumber",
            "birthday",
            "birthdate",
            "dateofbirth",
            "birth",
            "passport",
            "transactionid",
            "avatarurl",
        ],
    ),
    (
        Replaced::Network,
        &[
            "ip",
            "ipaddress",
            "customeripaddress",
            "customerip",
            "remoteaddr",
            "browserip",
            "useragent",
            "customeruseragent",
            "databasehost",
            "databasename",
            "databaseuser",
        ],
    ),
    (
        Replaced::Text,
        &[
            "note",
            "notes",
            "customernote",
            "privatenote",
            "internalnote",
            "notepublic",
            "noteprivate",
            "comment",
            "comments",
            "giftmessage",
            "instructions",
            "deliveryinstructions",
        ],
    ),
];

/// Fields that are a person's only where their neighbours say so ([`MARKERS`]).
const OF_PERSONS: &[&str] = &[
    "name",
    "displayname",
    "completename",
    "commercialcompanyname",
    "namealias",
    "slug",
    "other",
    "label",
];

/// A field with something in it that only records of people and companies have.
const MARKERS: &[&str] = &[
    "email",
    "phone",
    "mobile",
    "phonemobile",
    "street",
    "address",
    "address1",
    "address2",
    "town",
    "city",
    "zip",
    "postcode",
    "vat",
    "vatnumber",
    "tvaintra",
    "firstname",
    "lastname",
    "codeclient",
    "nicename",
    "avatarurls",
    "login",
];

/// Where these stand beside it, a `message` is a person's.
const LETTERS: &[&str] = &["idorder", "idcustomer", "idcustomerthread", "idcart"];

/// What may stand before one of [`FIELDS`].
const PREFIXES: &[&str] = &[
    "billing",
    "shipping",
    "delivery",
    "invoice",
    "customer",
    "buyer",
    "contact",
    "partner",
    "recipient",
    "sender",
    "user",
    "owner",
    "filter",
    "woocommerce",
    "store",
    "shop",
    "ps",
    "main",
    "to",
    "ship",
    "bill",
    "seller",
];

/// After these, a `name` is that of a person or company.
const BEFORE_NAMES: &[&str] = &[
    "billing",
    "customer",
    "buyer",
    "contact",
    "partner",
    "recipient",
    "sender",
    "user",
    "owner",
    "shop",
    "store",
    "delivery",
    "seller",
];

/// Parts of names of fields, parameters and headers whose value is a secret.
const SECRET_PARTS: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "authorization",
    "cookie",
    "session",
    "signature",
    "nonce",
    "credential",
    "card",
    "otp",
    "csrf",
];

/// Ends of such names.
const SECRET_ENDS: &[&str] = &[
    "apikey",
    "wskey",
    "orderkey",
    "securekey",
    "consumerkey",
    "accesskey",
    "secretkey",
    "privatekey",
    "licensekey",
    "resetkey",
    "activationkey",
    "authkey",
    "dolapikey",
    "pass",
    "pwd",
];

/// Fields whose numbers are not telephone numbers, addresses of machines or cards.
const NUMBERED: &[&str] = &[
    "sku",
    "reference",
    "ref",
    "ean",
    "ean13",
    "gtin",
    "upc",
    "isbn",
    "barcode",
    "globaluniqueid",
    "number",
    "id",
    "etag",
    "cursor",
];

/// Relations to people, in systems that answer them as `[12, "name"]`.
const RELATIONS: &[&str] = &[
    "partner", "user", "uid", "customer", "contact", "employee", "company", "salesman", "author",
    "owner",
];

/// Parts of a path, and models of an ERP, behind which people are.
const PEOPLE: &[&str] = &[
    "/customers",
    "/contacts",
    "/thirdparties",
    "/users",
    "/addresses",
    "res.partner",
    "res.users",
    "hr.employee",
];

/// Whether a request asks for records of people: by its path, or by a model that stands before a method (`"res.partner","read"`).
pub(super) fn asks_for_people(path: &str, body: &str) -> bool {
    let called = |model: &&str| {
        let quoted = format!("\"{model}\"");
        body.match_indices(&quoted).any(|(at, _)| {
            let rest = body[at + quoted.len()..].trim_start_matches([',', ' ']);
            let method = rest
                .strip_prefix('"')
                .and_then(|rest| rest.split('"').next());
            method.is_some_and(|method| method.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        })
    };
    PEOPLE.iter().any(|part| path.contains(part)) || PEOPLE.iter().any(called)
}

/// Whether a field is a name of whatever its record is.
pub(super) fn is_name(name: &str) -> bool {
    ["name", "displayname", "completename"].contains(&plain(name).as_str())
}

/// A name without case and signs.
pub(super) fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether a value of this name is a secret.
pub(super) fn is_secret(name: &str) -> bool {
    let name = plain(name);
    name == "key"
        || SECRET_PARTS.iter().any(|part| name.contains(part))
        || SECRET_ENDS.iter().any(|end| name.ends_with(end))
}

/// What a value of this name is, when it tells who a person is. `person` and `letter` say what its neighbours are.
pub(super) fn personal(name: &str, person: bool, letter: bool) -> Option<Replaced> {
    let whole = plain(name);
    let mut name = whole.as_str();
    let mut before = "";
    loop {
        let found = FIELDS.iter().find(|(_, names)| names.contains(&name));
        if let Some((what, _)) = found {
            return Some(*what);
        }
        if OF_PERSONS.contains(&name) && (person || BEFORE_NAMES.contains(&before)) {
            return Some(Replaced::Name);
        }
        if name == "message" && letter {
            return Some(Replaced::Text);
        }
        let prefix = PREFIXES
            .iter()
            .find(|prefix| name.starts_with(**prefix) && name.len() > prefix.len());
        before = prefix?;
        name = &name[before.len()..];
    }
}

/// Whether numbers in a value of this name are left alone.
pub(super) fn is_numbered(name: &str) -> bool {
    let name = plain(name);
    name.contains("version") || NUMBERED.iter().any(|end| name.ends_with(end))
}

/// Whether `[12, "text"]` under this name tells who someone is.
pub(super) fn is_relation(name: &str) -> bool {
    let name = plain(name);
    RELATIONS.iter().any(|part| name.contains(part))
}

/// Whether a field with a value marks its object as a person or company.
pub(super) fn marks_person(name: &str) -> bool {
    MARKERS.contains(&plain(name).as_str())
}

/// Whether a field marks its object as a letter that someone wrote.
pub(super) fn marks_letter(name: &str) -> bool {
    LETTERS.contains(&plain(name).as_str())
}

/// Whether a text under a personal name says nothing: a flag, an id, a placeholder of the vendor's.
pub(super) fn says_nothing(what: Replaced, name: &str, text: &str) -> bool {
    let digits = text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let code = ["zip", "code", "itude"]
        .iter()
        .any(|part| plain(name).contains(part));
    text.len() < 2
        || ["true", "false", "yes", "no", "null"].contains(&text)
        || (digits && matches!(what, Replaced::Name | Replaced::Address | Replaced::Text) && !code)
}

/// A value that is written as a field beside its name: `{"key": …, "value": …}` and the like.
pub(super) fn named_beside(object: &[(String, super::json::Node)]) -> Option<&str> {
    let text = |wanted: &str| {
        object
            .iter()
            .find(|(name, _)| name == wanted)
            .and_then(|(_, node)| node.text())
    };
    let valued = object
        .iter()
        .any(|(name, _)| name == "value" || name == "display_value");
    let name = text("key")
        .or(text("display_key"))
        .or(text("name"))
        .or(text("id"));
    name.filter(|_| valued)
}
