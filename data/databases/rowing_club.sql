-- A rowing club's members, boats, crews and regatta results.
CREATE TABLE members (
  member_id INTEGER PRIMARY KEY,
  full_name TEXT NOT NULL,
  birth_date TEXT,
  gender TEXT,
  height_cm INTEGER,
  joined_year INTEGER
);
CREATE TABLE boats (
  boat_id INTEGER PRIMARY KEY,
  boat_name TEXT NOT NULL,
  boat_class TEXT,
  seats INTEGER,
  weight_kg REAL,
  purchase_price INTEGER
);
CREATE TABLE regattas (
  regatta_id INTEGER PRIMARY KEY,
  regatta_name TEXT NOT NULL,
  water TEXT,
  held_on TEXT,
  course_m INTEGER
);
CREATE TABLE entries (
  entry_id INTEGER PRIMARY KEY,
  regatta_id INTEGER NOT NULL REFERENCES regattas(regatta_id),
  boat_id INTEGER NOT NULL REFERENCES boats(boat_id),
  finish_seconds REAL,
  place INTEGER
);
CREATE TABLE entry_crew (
  entry_id INTEGER REFERENCES entries(entry_id),
  member_id INTEGER REFERENCES members(member_id),
  seat_no INTEGER,
  PRIMARY KEY (entry_id, member_id)
);
INSERT INTO members VALUES
(1,'Anders Holt','1988-04-02','M',191,2009),(2,'Britt Sayer','1992-10-17','F',178,2012),
(3,'Conrad Pell','1979-01-25','M',186,2001),(4,'Daphne Rusk','2000-06-30','F',174,2018),
(5,'Edmund Lacey','1995-12-08','M',195,2015),(6,'Freya Tomlin','1998-03-14','F',181,2016),
(7,'Giles Norwood','1966-08-21','M',179,1990),(8,'Hilary Stoke','1985-05-05','F',170,2006),
(9,'Ivan Meers','2002-11-19','M',188,2020),(10,'Jonna Vale','2004-02-09','F',176,2021),
(11,'Kit Barlow','1991-07-27','M',NULL,2013),(12,'Lottie Crane','1996-09-12','F',183,2019),
(13,'Ned Farr','2005-01-03','M',184,2022);
INSERT INTO boats VALUES
(1,'Kingfisher','single',1,14.2,8900),(2,'Grebe','single',1,14.9,6400),
(3,'Two of Us','double',2,27.5,12800),(4,'Heron','pair',2,27.1,11950),
(5,'Swift','quad',4,52.3,24500),(6,'Lady Ann','four',4,51.0,21700),
(7,'Teal','double',2,28.4,7200),(8,'Old Bess','eight',8,98.6,NULL);
INSERT INTO regattas VALUES
(1,'Spring Head','Lode River','2023-03-25',4500),(2,'Mayfly Sprint','Carr Lake','2023-05-13',500),
(3,'Mill Cup','Lode River','2023-06-10',1500),(4,'Midsummer','Carr Lake','2023-06-24',2000),
(5,'Castle Regatta','Severin Canal','2023-07-15',1000),(6,'Autumn Head','Lode River','2023-10-07',5000),
(7,'Frost Mile','Severin Canal','2023-12-02',1609),
(8,'Novice Cup','Carr Lake','2023-09-09',750);
INSERT INTO entries VALUES
(1,1,5,1012.4,4),(2,1,1,1190.8,2),(3,2,3,104.6,1),(4,2,2,123.9,5),
(5,3,4,341.2,3),(6,3,6,309.7,1),(7,4,5,392.5,2),(8,4,1,461.3,1),
(9,5,3,218.8,2),(10,5,7,226.1,4),(11,6,6,1078.0,6),(12,6,5,1049.6,3),
(13,6,2,NULL,NULL),(14,5,4,215.3,1),(15,7,1,402.7,2),(16,7,5,318.9,1),(17,3,7,352.6,6);
INSERT INTO entry_crew VALUES
(1,2,1),(1,4,2),(1,6,3),(1,12,4),(2,5,1),(3,1,1),(3,5,2),(4,9,1),
(5,1,1),(5,3,2),(6,1,1),(6,3,2),(6,5,3),(6,11,4),(7,2,1),(7,6,2),
(7,8,3),(7,12,4),(8,5,1),(9,6,1),(9,12,2),(10,4,1),(10,10,2),(11,3,1),
(11,9,2),(11,11,3),(11,1,4),(13,10,1),(14,5,1),(14,9,2),
(15,5,1),(17,4,1),(17,12,2);
