"""What users do changes their next page, on every pod, and what is taken down is gone from it."""

from cluster import wait_for  # type: ignore[import-not-found]
from release import event, ids, newcomer  # type: ignore[import-not-found]

LIKED = 8


def test_a_click_changes_the_next_page_on_every_pod(shortlist) -> None:
    user = 1
    before = shortlist.whole(user)
    clicked = ids(before)[0]
    told = {"request_id": before["request_id"], "position": before["videos"][0]["position"]}
    assert shortlist.report(event(user, clicked, **told)) == ["accepted"]
    with shortlist.each_transformer() as addresses:
        assert len(addresses) == 2
        for address in addresses:
            after = shortlist.whole(user, at=address)
            assert clicked not in ids(after)
            assert ids(after) != ids(before)


def test_what_a_newcomer_likes_moves_the_rest_of_the_page(shortlist) -> None:
    user, other = newcomer(), newcomer()
    first = shortlist.whole(user)
    liked = ids(first)[:LIKED]
    kinds = [event(user, video, "like") for video in liked]
    assert shortlist.report(*kinds) == ["accepted"] * LIKED
    assert [one["video_id"] for one in shortlist.history(user)] == liked
    after = shortlist.whole(user)
    assert not set(ids(after)) & set(liked)
    sources = {source for video in after["videos"] for source in video["source"]}
    assert sources - {"popularity"}, "a history brings more than what is popular"
    assert shortlist.history(other) == []


def test_an_event_that_is_sent_again_counts_once(shortlist) -> None:
    user = newcomer()
    once = event(user, ids(shortlist.whole(user))[0])
    assert [shortlist.report(once)[0] for _ in range(3)] == ["accepted", "duplicate", "duplicate"]
    assert len(shortlist.history(user)) == 1


def test_pages_of_a_session_never_repeat_a_video_whichever_pod_answers(shortlist) -> None:
    user, session, shown = newcomer(), "one", []
    for page in range(5):
        found = shortlist.page(user, session_id=session, page=page)
        assert not found["degraded"], found["degraded_by"]
        shown += ids(found)
    assert len(shown) == len(set(shown)) == 50


def test_a_video_that_is_taken_down_is_gone_from_the_next_page_of_every_pod(shortlist) -> None:
    user = newcomer()
    doomed = ids(shortlist.whole(user))[0]
    with shortlist.each_transformer() as addresses:
        answer = shortlist.ask("POST", f"/v1/videos/{doomed}/takedown")
        assert answer.json() == {"video_id": doomed, "taken_down": True}
        for address in addresses * 10:
            assert doomed not in ids(shortlist.page(user, at=address, page_size=50))
        answer = shortlist.ask("DELETE", f"/v1/videos/{doomed}/takedown")
        assert answer.json() == {"video_id": doomed, "taken_down": False}
        for address in addresses:
            wait_for(
                "the video is shown again",
                lambda at=address: doomed in ids(shortlist.page(user, at=at, page_size=50)),
                20,
            )


def test_writing_takes_the_key_of_the_secret(shortlist) -> None:
    shortlist_key, shortlist._keys["client"] = shortlist.key, "x" * 32
    try:
        answer = shortlist.ask("POST", "/v1/videos/1/takedown")
    finally:
        shortlist._keys["client"] = shortlist_key
    assert answer.status_code == 401
    assert answer.json()["error"]["kind"] == "unauthorised"


def test_who_is_forgotten_has_no_history(shortlist) -> None:
    user = newcomer()
    assert shortlist.report(event(user, ids(shortlist.whole(user))[0])) == ["accepted"]
    answer = shortlist.ask("POST", f"/v1/users/{user}/forget")
    assert answer.json() == {"user_id": user, "forgotten": True}
    assert shortlist.history(user) == []
