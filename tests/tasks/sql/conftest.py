"""Databases like two that everybody knows, with what makes their questions hard to word; the rows are made up here."""

import random
import sqlite3
from pathlib import Path

import pytest

NORTHWIND = """
CREATE TABLE Categories (CategoryID INTEGER PRIMARY KEY, CategoryName TEXT, Description TEXT, Picture BLOB);
CREATE TABLE Suppliers (SupplierID INTEGER PRIMARY KEY, CompanyName TEXT, ContactName TEXT, Country TEXT, Phone TEXT, HomePage TEXT);
CREATE TABLE Products (ProductID INTEGER PRIMARY KEY, ProductName TEXT, SupplierID INTEGER REFERENCES Suppliers(SupplierID),
    CategoryID INTEGER REFERENCES Categories(CategoryID), QuantityPerUnit TEXT, UnitPrice NUMERIC, UnitsInStock INTEGER,
    ReorderLevel INTEGER, Discontinued TEXT NOT NULL DEFAULT '0');
CREATE TABLE Customers (CustomerID TEXT PRIMARY KEY, CompanyName TEXT, ContactTitle TEXT, City TEXT, Region TEXT, Country TEXT, Fax TEXT);
CREATE TABLE Employees (EmployeeID INTEGER PRIMARY KEY, LastName TEXT, FirstName TEXT, Title TEXT, TitleOfCourtesy TEXT, BirthDate DATE,
    HireDate DATE, Extension TEXT, Notes TEXT, ReportsTo INTEGER REFERENCES Employees(EmployeeID), PhotoPath TEXT);
CREATE TABLE Shippers (ShipperID INTEGER PRIMARY KEY, CompanyName TEXT, Phone TEXT);
CREATE TABLE Orders (OrderID INTEGER PRIMARY KEY, CustomerID TEXT REFERENCES Customers(CustomerID),
    EmployeeID INTEGER REFERENCES Employees(EmployeeID), OrderDate DATETIME, ShippedDate DATETIME,
    ShipVia INTEGER REFERENCES Shippers(ShipperID), Freight NUMERIC, ShipName TEXT, ShipAddress TEXT, ShipCountry TEXT);
CREATE TABLE "Order Details" (OrderID INTEGER REFERENCES Orders(OrderID), ProductID INTEGER REFERENCES Products(ProductID),
    UnitPrice NUMERIC, Quantity INTEGER, Discount REAL, PRIMARY KEY (OrderID, ProductID));
CREATE TABLE Territories (TerritoryID TEXT PRIMARY KEY, TerritoryDescription TEXT);
CREATE TABLE EmployeeTerritories (EmployeeID INTEGER REFERENCES Employees(EmployeeID),
    TerritoryID TEXT REFERENCES Territories(TerritoryID), PRIMARY KEY (EmployeeID, TerritoryID));
CREATE VIEW "Products by Category" AS SELECT CategoryName, ProductName, UnitsInStock FROM Products JOIN Categories USING (CategoryID);
CREATE VIEW "Alphabetical list of products" AS SELECT * FROM Products ORDER BY ProductName;
"""
FOODS = ["Beverages", "Condiments", "Confections", "Dairy Products", "Grains/Cereals", "Produce", "Seafood"]
PLACES = [("London", "UK"), ("Berlin", "Germany"), ("Lyon", "France"), ("Oslo", "Norway"), ("Torino", "Italy"), ("Seattle", "USA")]  # fmt: skip
NAMES = ["Davolio", "Fuller", "Leverling", "Peacock", "Buchanan", "Suyama", "King", "Callahan", "Dodsworth"]
FIRST = ["Nancy", "Andrew", "Janet", "Margaret", "Steven", "Michael", "Robert", "Laura", "Anne"]
GOODS = [
    "Chai",
    "Chang",
    "Syrup",
    "Pavlova",
    "Scones",
    "Ikura",
    "Tofu",
    "Konbu",
    "Geitost",
    "Ravioli",
    "Gnocchi",
    "Vegie-spread",
]


def filled(path: Path, script: str, rows: dict[str, list[tuple]]) -> Path:
    """The database of a script, with rows by table."""
    with sqlite3.connect(path) as connection:
        connection.executescript(script)
        for table, its in rows.items():
            connection.executemany(f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(its[0]))})', its)
    connection.close()
    return path


@pytest.fixture(scope="session")
def northwind(tmp_path_factory) -> Path:
    """Like Northwind: names with spaces, a composite key, a flag kept as text, employees who report to one another,
    notes that are paragraphs, views called after what they list."""
    luck, rows = random.Random(1), {}
    rows["Categories"] = [(i, food, f"All the {food.lower()}, fresh, dried or frozen, of our own make and of others", b"\x15")
                          for i, food in enumerate(FOODS, 1)]  # fmt: skip
    rows["Suppliers"] = [(i, f"{n} {'Ltd.' if i % 2 else 'Foods'}", f"{f} {n}", PLACES[i % 6][1], f"0{i}71 {i}", f"https://{n}.example/{i}")
                         for i, (n, f) in enumerate(zip(NAMES, reversed(FIRST), strict=True), 1)]  # fmt: skip
    rows["Products"] = [(i, f"{['Royal', 'Old', 'Grandma’s'][i % 3]} {GOODS[i % 12]}", 1 + i % 9, 1 + i % 7, f"{6 + i % 5} boxes x {i % 4 + 1} bags",
                         round(luck.uniform(2, 120), 2), luck.randrange(120), 5 * (i % 7), "01"[i % 8 == 0]) for i in range(1, 37)]  # fmt: skip
    rows["Customers"] = [(f"{n[:3]}{f[:2]}".upper(), f"{n} {w}", ["Owner", "Sales Agent", "Buyer"][len(n) % 3], *(p := PLACES[len(f + w) % 6])[:1],
                          None if len(n) % 2 else "West", p[1], f"+49 {len(n)}") for n, f, w in
                         [(n, f, w) for n, f in zip(NAMES, FIRST, strict=True) for w in ("Imports",)]
                         + [(n, f, "Market") for n, f in zip(NAMES, reversed(FIRST), strict=True)]]  # fmt: skip
    rows["Customers"] = list({row[0]: row for row in rows["Customers"]}.values())
    rows["Employees"] = [(i, n, f, ["Sales Representative", "Sales Manager"][i % 4 == 0], ["Ms.", "Mr.", "Dr."][i % 3], f"19{50 + 2 * i}-0{i}-1{i}",
                          f"199{i % 4}-0{i}-0{i}", f"{5400 + 17 * i}", f"{f} holds a BA in psychology. {f} joined in 199{i % 4} and is fluent in French.",
                          None if i == 2 else 2, f"http://accweb/emmployees/{n.lower()}.bmp") for i, (n, f) in enumerate(zip(NAMES, FIRST, strict=True), 1)]  # fmt: skip
    rows["Shippers"] = [
        (i, n, "(503) 555-98") for i, n in enumerate(["Speedy Express", "United Package", "Federal Shipping"], 1)
    ]
    rows["Orders"] = []
    for i in range(10248, 10368):
        customer, place = luck.choice(rows["Customers"]), luck.choice(PLACES)
        month, day = i % 12 + 1, i % 27 + 1
        rows["Orders"].append((i, customer[0], luck.randint(1, 9), f"199{6 + i % 3}-{month:02}-{day:02} 00:00:00",
                               None if i % 9 == 0 else f"199{6 + i % 3}-{month:02}-{day + 1:02} 00:00:00", luck.randint(1, 3),
                               round(luck.uniform(0.5, 300), 2), customer[1], f"{i % 90} Main Street", place[1]))  # fmt: skip
    rows["Order Details"] = [(order[0], product, rows["Products"][product - 1][5], luck.randint(1, 60), luck.choice([0, 0, 0.05, 0.1, 0.15]))
                             for order in rows["Orders"] for product in luck.sample(range(1, 37), 2)]  # fmt: skip
    rows["Territories"] = [
        (f"0{1581 + 7 * i}", name) for i, name in enumerate(["Westboro", "Bedford", "Cary", "Hollis", "Edison", "Troy"])
    ]
    rows["EmployeeTerritories"] = [(e, rows["Territories"][(e + k) % 6][0]) for e in range(1, 10) for k in range(2)]
    return filled(tmp_path_factory.mktemp("northwind") / "northwind small.db", NORTHWIND, rows)


CHINOOK = """
CREATE TABLE Artist (ArtistId INTEGER PRIMARY KEY, Name NVARCHAR(120));
CREATE TABLE Album (AlbumId INTEGER PRIMARY KEY, Title NVARCHAR(160) NOT NULL, ArtistId INTEGER NOT NULL REFERENCES Artist(ArtistId));
CREATE TABLE Genre (GenreId INTEGER PRIMARY KEY, Name NVARCHAR(120));
CREATE TABLE MediaType (MediaTypeId INTEGER PRIMARY KEY, Name NVARCHAR(120));
CREATE TABLE Track (TrackId INTEGER PRIMARY KEY, Name NVARCHAR(200) NOT NULL, AlbumId INTEGER REFERENCES Album(AlbumId),
    MediaTypeId INTEGER NOT NULL REFERENCES MediaType(MediaTypeId), GenreId INTEGER REFERENCES Genre(GenreId), Composer NVARCHAR(220),
    Milliseconds INTEGER NOT NULL, Bytes INTEGER, UnitPrice NUMERIC(10,2) NOT NULL);
CREATE TABLE Employee (EmployeeId INTEGER PRIMARY KEY, LastName NVARCHAR(20), FirstName NVARCHAR(20), Title NVARCHAR(30),
    ReportsTo INTEGER REFERENCES Employee(EmployeeId), HireDate DATETIME, Email NVARCHAR(60));
CREATE TABLE Customer (CustomerId INTEGER PRIMARY KEY, FirstName NVARCHAR(40), LastName NVARCHAR(20), Company NVARCHAR(80), City NVARCHAR(40),
    Country NVARCHAR(40), PostalCode NVARCHAR(10), Email NVARCHAR(60), SupportRepId INTEGER REFERENCES Employee(EmployeeId));
CREATE TABLE Invoice (InvoiceId INTEGER PRIMARY KEY, CustomerId INTEGER NOT NULL REFERENCES Customer(CustomerId), InvoiceDate DATETIME NOT NULL,
    BillingCity NVARCHAR(40), BillingCountry NVARCHAR(40), Total NUMERIC(10,2) NOT NULL);
CREATE TABLE InvoiceLine (InvoiceLineId INTEGER PRIMARY KEY, InvoiceId INTEGER NOT NULL REFERENCES Invoice(InvoiceId),
    TrackId INTEGER NOT NULL REFERENCES Track(TrackId), UnitPrice NUMERIC(10,2) NOT NULL, Quantity INTEGER NOT NULL);
CREATE TABLE Playlist (PlaylistId INTEGER PRIMARY KEY, Name NVARCHAR(120));
CREATE TABLE PlaylistTrack (PlaylistId INTEGER NOT NULL REFERENCES Playlist(PlaylistId), TrackId INTEGER NOT NULL REFERENCES Track(TrackId),
    PRIMARY KEY (PlaylistId, TrackId));
"""
BANDS = [
    "AC/DC",
    "Accept",
    "Aerosmith",
    "Alanis Morissette",
    "Audioslave",
    "Buddy Guy",
    "Caetano Veloso",
    "Deep Purple",
    "Faith No More",
    "O'Jays",
]
SONGS = ["Fast As a Shark", "Restless and Wild", "Go Down", "Overdose", "Walk On Water", "Love in an Elevator", "Rag Doll", "Amazing", "Ironic",
         "Not the Doctor", "Hunger Strike", "Bleed the Freak"]  # fmt: skip


@pytest.fixture(scope="session")
def chinook(tmp_path_factory) -> Path:
    """Like Chinook: singular names of tables in CamelCase, employees who report to one another, a column called total."""
    luck, rows = random.Random(2), {}
    rows["Artist"] = [(i, band) for i, band in enumerate(BANDS, 1)]
    rows["Album"] = [(i, f"{luck.choice(['Live in', 'Songs from', 'Letters to'])} {luck.choice(PLACES)[0]} {'I' * (i % 3 + 1)}, {1970 + i}", luck.choice([1, 1, 2, 3, 4, 5, 6, 7, 8]))
                     for i in range(1, 25)]  # fmt: skip
    rows["Genre"] = [
        (i, name) for i, name in enumerate(["Rock", "Jazz", "Metal", "Alternative & Punk", "Blues", "Latin"], 1)
    ]
    rows["MediaType"] = [
        (i, name) for i, name in enumerate(["MPEG audio file", "Protected AAC audio file", "AAC audio file"], 1)
    ]
    rows["Track"] = [(i, f"{luck.choice(SONGS)}{' (Live)' if i % 5 == 0 else ''}", luck.randint(1, 24), luck.randint(1, 3), luck.randint(1, 6),
                      None if i % 4 == 0 else luck.choice(["Angus Young", "Steven Tyler", "F. Baltes, S. Kaufman, U. Dirkscneider & W. Hoffman", "Glen Ballard"]),
                      luck.randrange(120_000, 520_000), luck.randrange(3_000_000, 12_000_000), luck.choice([0.99, 0.99, 1.99])) for i in range(1, 121)]  # fmt: skip
    rows["Employee"] = [(i, n, f, ["General Manager", "Sales Manager", "Sales Support Agent", "IT Staff"][min(i - 1, 3 - i % 2)], None if i == 1 else 1 + i // 4,
                         f"200{2 + i % 3}-0{i}-14 00:00:00", f"{f}@chinookcorp.example") for i, (n, f) in enumerate(list(zip(NAMES, FIRST, strict=True))[:8], 1)]  # fmt: skip
    rows["Customer"] = [(i, luck.choice(FIRST), f"{luck.choice(NAMES)}{'son' * (i % 2)}", None if i % 3 else f"{luck.choice(NAMES)} Corp.", *luck.choice(PLACES),
                         f"{10000 + 37 * i}", f"c{i}@example.com", luck.randint(3, 5)) for i in range(1, 31)]  # fmt: skip
    rows["Invoice"] = [(i, luck.randint(1, 28), f"20{9 + i % 5:02}-{i % 12 + 1:02}-{i % 27 + 1:02} 00:00:00", *luck.choice(PLACES), luck.choice([0.99, 1.98, 3.96, 5.94, 8.91, 13.86]))
                       for i in range(1, 91)]  # fmt: skip
    rows["InvoiceLine"] = [
        (i, luck.randint(1, 90), luck.randint(1, 110), luck.choice([0.99, 1.99]), 1) for i in range(1, 201)
    ]
    rows["Playlist"] = [
        (i, name)
        for i, name in enumerate(["Music", "90’s Music", "Heavy Metal Classic", "On-The-Go 1", "Brazilian Music"], 1)
    ]
    rows["PlaylistTrack"] = [(p, t) for p in range(1, 5) for t in sorted(luck.sample(range(1, 121), 30))]
    return filled(tmp_path_factory.mktemp("chinook") / "chinook.sqlite", CHINOOK, rows)
