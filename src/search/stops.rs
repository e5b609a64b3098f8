//! Stop words, folded.

/// Words that join others and tell nothing of a product. Short lists: a word that is left out where it matters costs more than
/// one that is kept. Prepositions that turn a meaning round (`without`) are not among them.
pub(super) fn stop_words(language: &str) -> &'static str {
    match language {
        "da" | "nb" | "nn" | "no" => {
            "af at de den der det du ei en er et for fra har i jeg med og om pa som til ved vi"
        }
        "de" => {
            "als am an auf aus bei das dem den der des die ein eine einem einen einer es fur ich im in ist mit oder sie so um \
             und vom von wie zu zum zur"
        }
        "en" => "a an and are as at be by for from how in is it of on or s that the this to was what with",
        "es" => "a al con de del e el en es la las lo los o para por que se su un una unas unos y",
        "fi" => "ei en etta ja joka on ovat se tai",
        "fr" => {
            "a au aux avec ce ces d dans de des du en est et je l la le les leur ou par pour qu que qui sa ses son sur un une"
        }
        "it" => {
            "a ad al alla con d da dal dei del della delle di e ed gli i il in l la le lo nel o per su un una uno"
        }
        "nl" => "aan als bij de dat die een en er het in is met naar of om op te tot uit van voor",
        "pl" => "a dla do i jest lub na o od po w z za ze",
        "pt" => "a ao as com da das de do dos e em na nas no nos o os ou para por que se um uma",
        "ro" => "a al ale cu cel cea de din in la o pe pentru si un una",
        "ru" => "а в во для до и из или к как на о об от по при с со у что",
        "sv" => "av att de den det en ett for fran har i ar med och om pa som till ut vid",
        "tr" => "bir bu da de icin ile mi ve veya",
        _ => "",
    }
}
