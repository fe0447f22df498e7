//! Error codes. Each has a page `docs/errors/CMP-NNNN.md`; a test keeps both sides equal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A language of the console, the command line and the error texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    English,
    /// French.
    French,
}

macro_rules! codes {
    ($($number:literal $name:ident $english:literal $french:literal;)*) => {
        /// A code of the error docs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Code {
            $(#[doc = $english] $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The number in `CMP-NNNN`.
            pub fn number(self) -> u16 {
                match self { $(Code::$name => $number,)* }
            }

            /// What happened, in one sentence.
            pub fn title(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Code::$name, Language::English) => $english,
                    (Code::$name, Language::French) => $french,)*
                }
            }
        }
    };
}

// A table, not logic: one row a code keeps number, name and both texts together.
codes! {
    1 NotUnderstood "The system answered something Comptoir does not understand." "Le système a donné une réponse que Comptoir ne comprend pas.";
    2 TargetMoved "The record changed in the target while Comptoir was working on it." "La fiche a changé dans la cible pendant que Comptoir y travaillait.";
    3 OtherSite "The address answers as another site than the one this connection was made for." "L'adresse répond comme un autre site que celui de cette connexion.";
    4 TooLarge "The answer or the request is larger than allowed." "La réponse ou la requête dépasse la taille autorisée.";
    5 Redirected "The address redirects elsewhere; redirects are not followed." "L'adresse redirige ailleurs ; les redirections ne sont pas suivies.";
    100 WrongKey "The key or its secret is wrong." "La clé ou son secret est incorrect.";
    101 ReadOnlyKey "The key may only read." "La clé ne permet que la lecture.";
    102 NotSeenAsHttps "The shop does not see the connection as HTTPS, so it ignores the key." "La boutique ne voit pas la connexion comme HTTPS et ignore la clé.";
    103 WrongDatabase "The ERP does not know this database." "L'ERP ne connaît pas cette base de données.";
    104 ClockSkew "The clocks of the two machines differ too much." "Les horloges des deux machines sont trop différentes.";
    105 ExpiredKey "The key or the session has expired." "La clé ou la session a expiré.";
    106 MissingRight "The user of the key lacks a right." "Il manque un droit à l'utilisateur de la clé.";
    107 WrongAddress "The address does not lead to the expected API." "L'adresse ne mène pas à l'API attendue.";
    108 SignatureRefused "The signature of the request was refused." "La signature de la requête a été refusée.";
    109 UnsupportedVersion "This version of the system is not supported." "Cette version du système n'est pas prise en charge.";
    110 PlainHttp "The address is plain http." "L'adresse est en http simple.";
    200 Unreachable "The system cannot be reached." "Le système est injoignable.";
    201 TimedOut "The system did not answer in time." "Le système n'a pas répondu à temps.";
    202 TooManyRequests "The system asks to slow down." "Le système demande de ralentir.";
    203 ServerError "The system failed on its side." "Le système a échoué de son côté.";
    204 Maintenance "The system is in maintenance." "Le système est en maintenance.";
    205 AnswerCut "The answer was cut before its end." "La réponse a été coupée avant la fin.";
    206 Contention "Another user was writing the same record." "Un autre utilisateur écrivait la même fiche.";
    300 Refused "The target refused the data." "La cible a refusé les données.";
    301 UnknownField "The target does not have this field." "La cible n'a pas ce champ.";
    302 MissingField "A field that the target requires is missing." "Un champ exigé par la cible manque.";
    303 RecordGone "The record does not exist any more." "La fiche n'existe plus.";
    304 Duplicate "The target already has a record with this key." "La cible a déjà une fiche avec cette clé.";
    305 WrongState "The record is not in a state that allows this." "L'état de la fiche ne permet pas cette opération.";
    306 NotDone "The target answered with a question and did nothing." "La cible a répondu par une question et n'a rien fait.";
    307 OutcomeUnknown "It may have been done; it cannot be proved." "C'est peut-être fait ; impossible de le prouver.";
    308 Unreadable "A record could not be read." "Une fiche n'a pas pu être lue.";
    400 MissingRow "A look-up table has no row for a value." "Une table de correspondance n'a pas de ligne pour une valeur.";
    401 UnknownProduct "The ERP has no product for this SKU." "L'ERP n'a pas d'article pour cette référence.";
    402 AmbiguousProduct "The ERP has several products for this SKU." "L'ERP a plusieurs articles pour cette référence.";
    403 AmbiguousCustomer "The ERP has several customers for this buyer." "L'ERP a plusieurs clients pour cet acheteur.";
    404 UnknownCustomer "The ERP has no customer for this buyer, and none may be created." "L'ERP n'a pas de client pour cet acheteur et aucun ne peut être créé.";
    405 TotalDiffers "The totals of shop and ERP differ by more than the tolerance." "Les totaux de la boutique et de l'ERP diffèrent de plus que la tolérance.";
    406 EquationBroken "The amounts of the order do not add up." "Les montants de la commande ne s'additionnent pas.";
    407 RefundWaits "The order has a refund, and no flow books refunds yet." "La commande a un remboursement et aucun flux ne les comptabilise encore.";
    408 DeletedInTarget "A person deleted the record in the target." "Une personne a supprimé la fiche dans la cible.";
    409 EditedInTarget "A person changed the record in the target, and the source changed too." "Une personne a modifié la fiche dans la cible, et la source a changé aussi.";
    410 ChangedAfterImport "The shop changed an order that the ERP already works on." "La boutique a modifié une commande que l'ERP traite déjà.";
    411 CancelledAfterImport "The shop cancelled an order that the ERP already works on." "La boutique a annulé une commande que l'ERP traite déjà.";
    412 NeverSettles "The record did not settle after eight writes." "La fiche n'est pas stable après huit écritures.";
    413 CapReached "The flow reached its cap on changes." "Le flux a atteint son plafond de modifications.";
    414 TriesExhausted "The record failed several times while others passed." "La fiche a échoué plusieurs fois alors que d'autres passaient.";
    415 CurrencyDiffers "The ERP would book the order in another currency." "L'ERP enregistrerait la commande dans une autre devise.";
    416 NoPlacement "No company, price list or warehouse of the ERP fits the order." "Aucune société, liste de prix ou entrepôt de l'ERP ne convient à la commande.";
    417 CancelledInTarget "The ERP cancelled the order while the shop did not." "L'ERP a annulé la commande, pas la boutique.";
    418 MissingSetting "The flow lacks a setting that this order needs." "Il manque au flux un réglage dont cette commande a besoin.";
    419 TooManyZeros "Too many of a shop's items would go to zero at once." "Trop d'articles de la boutique passeraient à zéro d'un coup.";
    430 RuleMissing "A rule found no value, and says to hold the order." "Une règle n'a pas trouvé de valeur et demande de retenir la commande.";
    431 RuleFailed "A rule could not be applied to an order." "Une règle n'a pas pu être appliquée à une commande.";
    432 RuleChoice "A rule chose something that the target does not have." "Une règle a choisi quelque chose que la cible n'a pas.";
    440 StalePlan "The plan cannot be used any more." "Le plan n'est plus utilisable.";
    441 NoPlan "There is no such plan." "Ce plan n'existe pas.";
    445 Drift "The two sides do not agree." "Les deux côtés ne concordent pas.";
    500 BadToml "A configuration file cannot be read." "Un fichier de configuration est illisible.";
    501 UnknownSetting "A configuration file holds a setting that does not exist." "Un fichier de configuration contient un réglage inconnu.";
    502 BadValue "A setting has a value that does not fit." "Un réglage a une valeur qui ne convient pas.";
    503 UnknownName "The configuration names something that is not there." "La configuration nomme quelque chose qui n'existe pas.";
    504 MissingSecret "A secret that the configuration names is not set." "Un secret nommé par la configuration n'est pas défini.";
    505 HeadMoved "Someone changed the configuration since it was pulled." "La configuration a changé depuis la dernière récupération.";
    506 NoWorkspace "There is no workspace here." "Il n'y a pas d'espace de travail ici.";
    507 UnknownRuleField "A rule names a field that does not exist." "Une règle nomme un champ qui n'existe pas.";
    508 BadTable "A look-up table cannot be read." "Une table de correspondance est illisible.";
    509 BadRule "A rule is not written right." "Une règle est mal écrite.";
    600 StoreBusy "Another hub already serves this store." "Un autre hub utilise déjà cette base.";
    601 DiskFull "The disk or the database is full." "Le disque ou la base est plein.";
    602 StoreBroken "The store failed." "La base a échoué.";
    603 StoreNewer "The store was written by a newer Comptoir." "La base vient d'une version plus récente de Comptoir.";
    604 WrongMasterKey "The master key does not open this store's secrets." "La clé maîtresse n'ouvre pas les secrets de cette base.";
    605 OwnershipLost "Another process took over the connection." "Un autre processus a repris la connexion.";
    700 ForgedSignature "The signature of the webhook does not fit." "La signature du webhook ne correspond pas.";
    701 MalformedWebhook "The webhook cannot be read." "Le webhook est illisible.";
    702 OversizedWebhook "The webhook is larger than allowed." "Le webhook dépasse la taille autorisée.";
    703 UnknownHook "No connection has this webhook address." "Aucune connexion n'a cette adresse de webhook.";
    704 HookDisabled "The shop had switched the webhook off." "La boutique avait désactivé le webhook.";
    705 SlowWebhook "The webhook's body did not come in time." "Le corps du webhook n'est pas arrivé à temps.";
    800 NoUserYet "No user exists yet: the console and the API answer only on this machine." "Aucun compte n'existe encore : la console et l'API ne répondent que sur cette machine.";
    801 SignInNeeded "This page needs a sign-in." "Cette page demande de se connecter.";
    802 WrongPassword "The name or the password is wrong." "Le nom ou le mot de passe est faux.";
    803 TooManySignIns "Too many sign-ins have failed." "Trop de connexions ont échoué.";
    804 RoleTooLow "Your role does not allow this." "Votre rôle ne le permet pas.";
    805 ForeignForm "The form did not come from a page of this console, or its session is over." "Le formulaire ne vient pas d'une page de cette console, ou sa session est finie.";
    806 WrongFirstKey "The one-time link is wrong, used or too old." "Le lien à usage unique est faux, utilisé ou trop ancien.";
    807 NothingHere "There is nothing at this address." "Il n'y a rien à cette adresse.";
    808 BadRequest "A field of the request does not fit." "Un champ de la requête ne convient pas.";
    809 WeakPassword "The password is too easy: take 12 characters or more, and not the name." "Le mot de passe est trop facile : 12 caractères ou plus, et pas le nom.";
    810 NameTaken "This name is taken." "Ce nom est déjà pris.";
    811 TokenNeeded "The API token is missing, wrong, or its time is over." "Le jeton de l'API manque, est faux, ou n'est plus valable.";
    812 ScopeMissing "The API token's scopes do not allow this." "Les droits du jeton de l'API ne le permettent pas.";
}

impl Code {
    /// The code written `CMP-NNNN`.
    pub fn parse(text: &str) -> Option<Code> {
        let number: u16 = text.strip_prefix("CMP-")?.parse().ok()?;
        Code::ALL
            .iter()
            .copied()
            .find(|code| code.number() == number)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CMP-{:04}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_ascending() {
        let numbers: Vec<u16> = Code::ALL.iter().map(|code| code.number()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    }
}
