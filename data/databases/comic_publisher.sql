-- A comic book publisher with its series, issues, creators and who worked on which issue.
CREATE TABLE Creator (
  CreatorId INTEGER PRIMARY KEY,
  FirstName TEXT,
  LastName TEXT,
  Nationality TEXT,
  BirthYear INTEGER
);
CREATE TABLE Series (
  SeriesId INTEGER PRIMARY KEY,
  Title TEXT NOT NULL,
  Genre TEXT,
  StartYear INTEGER,
  EndYear INTEGER
);
CREATE TABLE Issue (
  IssueId INTEGER PRIMARY KEY,
  SeriesId INTEGER NOT NULL,
  IssueNumber INTEGER,
  ReleaseDate TEXT,
  PageCount INTEGER,
  CoverPrice REAL,
  CopiesSold INTEGER,
  FOREIGN KEY (SeriesId) REFERENCES Series(SeriesId)
);
CREATE TABLE Credit (
  IssueId INTEGER NOT NULL,
  CreatorId INTEGER NOT NULL,
  Role TEXT NOT NULL,
  Fee REAL,
  PRIMARY KEY (IssueId, CreatorId, Role),
  FOREIGN KEY (IssueId) REFERENCES Issue(IssueId),
  FOREIGN KEY (CreatorId) REFERENCES Creator(CreatorId)
);
INSERT INTO Creator VALUES
(1,'Dora','Pask','British',1979),
(2,'Enzo','Labelle','Canadian',1985),
(3,'Mio','Tachibana','Japanese',1991),
(4,'Carl','Oduya','British',1968),
(5,'Freya','Lindqvist','Swedish',1994),
(6,'Nate','Corrigan','American',1973),
(7,'Sol','Ibarra','American',1988),
(8,'Wren','Hatley','British',2000),
(9,'Anton','Kral','Canadian',NULL),
(10,'Ruby','Stave','American',1982);
INSERT INTO Series VALUES
(1,'Captain Lantern','superhero',2009,NULL),
(2,'The Moss King','fantasy',2014,2019),
(3,'Orbit Nine','science fiction',2017,NULL),
(4,'Cellar Tales','horror',2011,2016),
(5,'Silver Sparrow','superhero',2020,NULL),
(6,'Tin Detective','crime',2018,2022),
(7,'Hollow Street','horror',2021,NULL),
(8,'Dragon Post','fantasy',2023,NULL);
INSERT INTO Issue VALUES
(1,1,1,'2009-05-06',32,2.99,41200),
(2,1,2,'2009-06-03',28,2.99,35750),
(3,1,50,'2015-09-16',48,4.99,52900),
(4,2,1,'2014-02-12',36,3.5,12840),
(5,2,2,'2014-04-09',32,3.5,10310),
(6,3,1,'2017-10-04',40,3.99,27600),
(7,3,2,'2017-11-01',32,3.99,22480),
(8,3,3,'2017-12-06',30,3.99,21950),
(9,4,1,'2011-10-26',24,2.5,8900),
(10,4,2,'2012-01-18',24,2.5,7420),
(11,5,1,'2020-08-05',44,4.5,38100),
(12,5,2,'2020-09-02',34,4.25,29340),
(13,6,1,'2018-03-21',36,3.75,15670),
(14,7,1,'2021-10-27',52,5.5,18230),
(15,7,2,'2022-01-12',38,4.75,NULL);
INSERT INTO Credit VALUES
(1,4,'writer',1800),(1,6,'artist',2600),
(2,4,'writer',1750),(2,6,'artist',2400),
(3,1,'writer',3100),(3,10,'artist',4200),(3,6,'cover',900),
(4,2,'writer',1500),(4,2,'artist',2150),
(5,2,'writer',1450),(5,9,'colourist',820),
(6,7,'writer',2200),(6,3,'artist',3050),
(7,7,'writer',2050),(7,3,'artist',2900),(7,5,'colourist',1100),
(8,7,'writer',2000),(8,5,'artist',2550),
(9,1,'writer',950),(10,1,'writer',980),(10,9,'colourist',NULL),
(11,10,'writer',2700),(11,3,'artist',3600),
(12,10,'writer',2650),(13,4,'writer',1900),
(14,1,'writer',2800),(14,5,'artist',3300),(14,3,'cover',1250);
