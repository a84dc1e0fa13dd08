//! What the demonstration shows is what it is to show.

#[tokio::test(flavor = "multi_thread")]
async fn tenants_do_not_mix_and_every_request_that_began_is_delivered_whole() {
    let shown = super::run().await.unwrap();
    assert_eq!(shown, include_str!("expected.txt").trim_end(), "{shown}");
}
