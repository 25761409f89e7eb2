-- A music streaming service with artists, albums, songs, listeners and their playlists.
CREATE TABLE Artist (
  ArtistId INTEGER PRIMARY KEY,
  ArtistName TEXT,
  Country TEXT,
  DebutYear INTEGER
);
CREATE TABLE Album (
  AlbumId INTEGER PRIMARY KEY,
  AlbumTitle TEXT,
  ArtistId INTEGER REFERENCES Artist(ArtistId),
  ReleaseYear INTEGER,
  Label TEXT
);
CREATE TABLE Song (
  SongId INTEGER PRIMARY KEY,
  SongTitle TEXT,
  AlbumId INTEGER REFERENCES Album(AlbumId),
  Genre TEXT,
  Seconds INTEGER,
  PlayCount INTEGER
);
CREATE TABLE Listener (
  ListenerId INTEGER PRIMARY KEY,
  NickName TEXT,
  Country TEXT,
  Subscription TEXT,
  MonthlyFee REAL,
  SignupDate TEXT
);
CREATE TABLE Playlist (
  PlaylistId INTEGER PRIMARY KEY,
  PlaylistName TEXT,
  ListenerId INTEGER REFERENCES Listener(ListenerId),
  Followers INTEGER
);
CREATE TABLE PlaylistSong (
  PlaylistId INTEGER REFERENCES Playlist(PlaylistId),
  SongId INTEGER REFERENCES Song(SongId),
  AddedOn TEXT,
  PRIMARY KEY (PlaylistId, SongId)
);
INSERT INTO Artist VALUES
(1,'Polar Motel','Sweden',2008),
(2,'Dina Castell','Spain',2014),
(3,'Grey Parade','UK',1996),
(4,'Kofi Lumen','Ghana',2017),
(5,'Tin Orchard','Canada',2003),
(6,'Saskia Roon','Netherlands',2019),
(7,'The Ferrymen','UK',1982),
(8,'Nova Quill','Canada',2021),
(9,'Hexa Choir','Sweden',NULL);
INSERT INTO Album VALUES
(1,'Neon Snow',1,2010,'Fjordtone'),
(2,'Room 214',1,2016,'Fjordtone'),
(3,'Calle Azul',2,2015,'Sol Discos'),
(4,'Static Garden',3,1999,'Brick Lane'),
(5,'Afterglow Tax',3,2007,'Brick Lane'),
(6,'Accra Nights',4,2018,'Sol Discos'),
(7,'Windfall',5,2005,'Maple Ear'),
(8,'Tidewater',7,1984,'Brick Lane'),
(9,'Paper Moons',6,2020,'Fjordtone'),
(10,'First Draft',8,2022,NULL),
(11,'Sea Wages',7,1991,'Maple Ear');
INSERT INTO Song VALUES
(1,'Frost Line',1,'electronic',242,1840200),
(2,'Ice Machine',1,'electronic',318,655100),
(3,'Checkout Time',2,'pop',205,2310400),
(4,'Balcones',3,'pop',198,4120800),
(5,'Sin Mapa',3,'folk',231,980300),
(6,'Concrete Fern',4,'rock',276,1522000),
(7,'Dial Tone',4,'rock',259,734600),
(8,'Receipt',5,'rock',301,411900),
(9,'Market Circle',6,'afrobeat',264,5075500),
(10,'Harmattan',6,'afrobeat',349,1290700),
(11,'Orchard Gate',7,'folk',187,362400),
(12,'Long Grass',7,'folk',224,205800),
(13,'Ferry Song',8,'rock',293,2875300),
(14,'Low Water',8,'folk',335,598000),
(15,'Half Moon',9,'pop',176,1164900),
(16,'Origami',9,'electronic',213,890500),
(17,'Margin Notes',10,'pop',192,77600),
(18,'Payday Sailor',11,'rock',268,346200),
(19,'Demo Nine',NULL,'electronic',NULL,3100);
INSERT INTO Listener VALUES
(1,'blue_otter','UK','premium',10.99,'2018-04-12'),
(2,'mariasol','Spain','free',0.0,'2020-09-01'),
(3,'vinylhead','Canada','family',16.99,'2016-11-23'),
(4,'qwerty88','UK','student',5.99,'2022-10-05'),
(5,'snorre','Sweden','premium',10.49,'2017-02-28'),
(6,'tapedeck','Canada','free',0.0,'2021-06-17'),
(7,'lila_k','Spain','student',4.99,'2023-01-30'),
(8,'owlish','Sweden','family',15.99,'2019-08-08'),
(9,'dubnoodle','UK','premium',9.99,'2015-12-19'),
(10,'newcomer','Ghana','free',NULL,'2024-02-14');
INSERT INTO Playlist VALUES
(1,'Morning Run',1,312),
(2,'Siesta',2,1450),
(3,'Rainy Rock',3,87),
(4,'Exam Focus',4,2630),
(5,'Winter Drive',5,540),
(6,'Campfire',6,29),
(7,'Dance Kitchen',7,905),
(8,'Old Favourites',9,NULL),
(9,'Late Bus',9,164),
(10,'Empty Shelf',8,0);
INSERT INTO PlaylistSong VALUES
(1,9,'2021-03-02'),(1,1,'2021-03-02'),(1,3,'2021-05-19'),
(2,4,'2020-10-11'),(2,5,'2020-10-11'),(2,14,'2022-07-04'),
(3,6,'2019-01-15'),(3,7,'2019-01-15'),(3,13,'2020-02-20'),(3,18,'2021-11-28'),
(4,2,'2022-11-01'),(4,16,'2022-11-03'),
(5,1,'2018-12-21'),(5,8,'2018-12-27'),(5,13,'2019-01-05'),
(6,11,'2021-07-07'),(6,12,'2021-07-07'),(6,5,NULL),
(7,9,'2023-02-14'),(7,10,'2023-02-16'),(7,4,'2023-03-08'),(7,15,'2023-04-22'),
(8,13,'2016-05-01'),(8,14,'2016-05-01'),
(9,16,'2022-01-09'),(9,3,'2023-12-30');
