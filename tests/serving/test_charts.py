import pytest

from forge_lib.serving.charts import chart_of

CITIES = [("Lund", 3), ("Łódź", 5), ("Oslo", 4)]


@pytest.mark.parametrize(
    "columns, rows, kind",
    [
        (["city", "shops"], CITIES, "bar"),
        (["day", "sold"], [("2024-03-02", 1.5), ("2024-03-01", 2)], "bar"),
        (["year", "sold"], [(2021, 4), (2020, 9)], "line"),
        (["founded_year", "shops"], [(2021, 4), (2020, 9)], "line"),
        (["weight", "price"], [(1.0, 4), (1.0, 9), (2.5, 3)], "point"),
        (["name", "city", "price"], [("a", "Lund", 1), ("b", "Lund", 2)], "bar"),
    ],
)
def test_what_is_chartable_gets_its_chart(columns, rows, kind):
    assert chart_of(columns, rows).kind == kind


@pytest.mark.parametrize(
    "columns, rows",
    [
        (["count"], [(3,), (4,)]),  # nothing to set it against
        (["city", "shops"], [("Lund", 3)]),  # one row is a sentence
        (["city", "shops"], []),
        (["city", "shop_id"], CITIES),  # keys count nothing
        (["city", "shopId"], CITIES),
        (["city", "shops"], [("Lund", 3), ("Lund", 4)]),  # two bars of one name
        (["city", "shops"], [("Lund", 3), ("Oslo", None)]),  # a gap would look like zero
        (["city", "shops"], [("Lund", 3), (None, 4)]),
        (["city", "shops"], [("Lund", 3), ("Oslo", float("inf"))]),
        (["city", "shops"], [("Lund", 0), ("Oslo", 0)]),
        (["city", "name"], [("Lund", "a"), ("Oslo", "b")]),
        (["a", "b", "c", "d"], [("x", 1, 2, 3), ("y", 1, 2, 3)]),  # records
        (["year", "sold"], [(2020, 4), (2020, 9)]),  # two series in one
        (["city", "shops"], [(f"city {n}", n) for n in range(21)]),
        (["id", "price"], [(1, 4.0), (2, 5.0), (3, 5.0)]),
    ],
)
def test_what_is_not_gets_none(columns, rows):
    assert chart_of(columns, rows) is None


def test_a_result_that_is_cut_gets_none():
    assert chart_of(["city", "shops"], CITIES) and chart_of(["city", "shops"], CITIES, more=True) is None


def test_years_and_dates_stand_in_their_order_and_labels_in_that_of_the_rows():
    assert chart_of(["year", "n"], [(2021, 4), (2019, 9), (2020, 1)]).points == ((2019, 9), (2020, 1), (2021, 4))
    assert [x for x, _ in chart_of(["day", "n"], [("2024-03-02", 1), ("2024-03-01", 2)]).points][0] == "2024-03-01"
    assert chart_of(["city", "shops"], CITIES[::-1]).points == tuple(CITIES[::-1])


def test_the_measure_is_the_last_column_of_numbers():
    found = chart_of(["city", "shops", "sales"], [("Lund", 1, 10), ("Oslo", 2, 20)])
    assert (found.x, found.y, found.points) == ("city", "sales", (("Lund", 10), ("Oslo", 20)))
