//! Long texts arrive whole in slices, and media are what their bytes say.

use serde_json::{Value, json};

use super::{BEGINNING, Kept, SLICE, take};

const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

fn whole(kept: &Kept, beginning: &str, mut next: Option<usize>) -> String {
    let mut text = beginning.to_owned();
    while let Some(from) = next {
        let slice = kept.slice(from).unwrap();
        text += slice["text"].as_str().unwrap();
        next = slice["next"]
            .as_u64()
            .map(|next| usize::try_from(next).unwrap());
    }
    text
}

#[test]
fn a_text_that_is_cut_is_whole_after_its_slices() {
    let long = "für 🦀".repeat(40_000);
    let mut json = json!({"attributes": [["key", long]], "status": "short"});
    let kept = take(&mut json);
    let beginning = json["attributes"][0][1].as_str().unwrap();
    assert!(beginning.len() <= SLICE && beginning.len() > SLICE - 4);
    let place = &json["kept"][0];
    assert_eq!(place["at"], json!(["attributes", 0, 1]));
    assert_eq!(place["size"], 200_000);
    let next = usize::try_from(place["next"].as_u64().unwrap()).unwrap();
    assert_eq!(whole(&kept[0], beginning, Some(next)), long);
    // A place inside of a character is one before it, and behind the end there is nothing.
    assert!(
        kept[0].slice(2).unwrap()["text"]
            .as_str()
            .unwrap()
            .starts_with('ü')
    );
    assert_eq!(
        kept[0].slice(usize::MAX).unwrap(),
        json!({"text": "", "next": null})
    );
    assert_eq!((json["status"].as_str(), kept.len()), (Some("short"), 1));
}

#[test]
fn of_many_texts_only_the_beginnings_are_sent() {
    let text = "x".repeat(SLICE);
    let mut json = json!({"raw": vec![text.as_str(); 100]});
    let kept = take(&mut json);
    assert!(
        json.to_string().len() < 2 << 20,
        "{}",
        json.to_string().len()
    );
    assert_eq!(kept.len(), 84);
    assert_eq!(json["raw"][99].as_str().unwrap().len(), BEGINNING);
    assert_eq!(kept[83], Kept::Text(text));
}

fn media(contents: Value) -> (Value, Vec<Kept>) {
    let mut json = json!({"messages": [{"parts": contents}]});
    let kept = take(&mut json);
    (json, kept)
}

#[test]
fn media_are_found_however_they_are_written() {
    let (json, kept) = media(json!([
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PNG},
        {"type": "image", "data": PNG, "mimeType": "image/png"},
        {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": PNG}},
        {"type": "text", "content": PNG},
    ]));
    assert_eq!(json["kept"].as_array().unwrap().len(), 4);
    for (place, kept) in json["kept"].as_array().unwrap().iter().zip(&kept) {
        assert_eq!(place["image"], "image/png");
        let (kind, bytes) = kept.image().unwrap();
        assert_eq!((kind, bytes.len()), ("image/png", 70));
        assert_eq!(kept.slice(0), None);
    }
    assert_eq!(json["messages"][0]["parts"][0]["content"], "");
    assert_eq!(json["messages"][0]["parts"][4]["content"], PNG);
    assert_eq!(
        json["kept"][2]["at"],
        json!(["messages", 0, "parts", 2, "image_url", "url"])
    );
}

#[test]
fn t29_what_has_markup_or_is_no_picture_is_never_sent_as_one() {
    // `<svg onload=alert(1)>`, a page, and what is no base64 at all, all said to be PNG.
    for base64 in [
        "PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+",
        "PGh0bWw+PHNjcmlwdD4=",
        "\u{202e}<img src=x onerror=x>",
        "////////////////////",
    ] {
        let (json, kept) =
            media(json!([{"type": "blob", "mime_type": "image/png", "content": base64}]));
        assert_eq!(json["kept"][0]["image"], Value::Null, "{base64}");
        assert_eq!(kept[0].image(), None, "{base64}");
    }
}

#[test]
fn base64_without_padding_or_in_lines_is_read() {
    let lines = format!("{}\r\n{}\n", &PNG[..64], &PNG[64..]);
    for base64 in [PNG.trim_end_matches('=').to_owned(), lines] {
        let (_, kept) = media(json!([{"type": "blob", "content": base64}]));
        assert_eq!(kept[0].image().unwrap().1.len(), 70, "{base64}");
    }
}
