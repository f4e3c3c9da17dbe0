"""The words of the world are what the rest of it takes them for."""

from shortlist.world import vocabulary


def test_there_are_sixty_tags_of_eight_words_each() -> None:
    assert len(vocabulary.TAG_NAMES) == 60
    assert [len(set(words)) for words in vocabulary.TAG_WORDS] == [8] * 60


def test_tag_names_are_distinct_and_each_belongs_to_its_genre() -> None:
    assert len(set(vocabulary.TAG_NAMES)) == 60
    for tag, genre in zip(vocabulary.TAG_NAMES, vocabulary.TAG_GENRE, strict=True):
        assert tag in vocabulary.GENRES[vocabulary.GENRE_NAMES[genre]]


def test_shares_sum_to_one_and_match_their_names() -> None:
    for shares, names in (
        (vocabulary.LANGUAGE_SHARES, vocabulary.LANGUAGES),
        (vocabulary.AGE_SHARES, vocabulary.AGE_BANDS),
    ):
        assert abs(sum(shares) - 1) < 1e-12
        assert len(shares) == len(names)


def test_words_are_single_words_fit_for_a_title() -> None:
    words = [word for words in vocabulary.TAG_WORDS for word in words]
    for word in (*words, *vocabulary.PLAIN_WORDS):
        assert word.isalnum()
        assert word == word.lower()
