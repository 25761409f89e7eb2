-- A village cricket league with clubs, players, fixtures and each player's figures in a fixture.
CREATE TABLE club (
  id INTEGER PRIMARY KEY,
  name TEXT,
  village TEXT,
  founded INTEGER,
  division INTEGER
);
CREATE TABLE player (
  id INTEGER PRIMARY KEY,
  name TEXT,
  age INTEGER,
  position TEXT,
  batting_hand TEXT,
  club_id INTEGER REFERENCES club(id)
);
CREATE TABLE fixture (
  id INTEGER PRIMARY KEY,
  date TEXT,
  home_club_id INTEGER REFERENCES club(id),
  away_club_id INTEGER REFERENCES club(id),
  home_runs INTEGER,
  away_runs INTEGER,
  weather TEXT
);
CREATE TABLE performance (
  player_id INTEGER REFERENCES player(id),
  fixture_id INTEGER REFERENCES fixture(id),
  runs INTEGER,
  balls INTEGER,
  wickets INTEGER,
  catches INTEGER,
  PRIMARY KEY (player_id, fixture_id)
);
INSERT INTO club VALUES
(1,'Oakham Green','Oakham',1887,1),
(2,'Thornby','Thornby',1902,1),
(3,'Little Wick','Wick',1956,2),
(4,'Bramley Vale','Bramley',1874,1),
(5,'Saxton Mill','Saxton',1931,2),
(6,'Dunley','Dunley',1919,1),
(7,'Ferrycross','Ferrycross',1988,2),
(8,'Wick Wanderers','Wick',2003,2);
INSERT INTO player VALUES
(1,'Alec Dunn',34,'batter','right',1),
(2,'Ravi Menon',26,'bowler','right',1),
(3,'Joe Pickett',19,'all-rounder','left',1),
(4,'Stan Hobday',41,'keeper','right',2),
(5,'Imran Vasey',29,'bowler','left',2),
(6,'Fred Loxton',23,'batter','left',4),
(7,'Craig Allum',37,'all-rounder','right',4),
(8,'Nev Sharrow',45,'bowler','right',3),
(9,'Toby Wace',17,'batter','right',3),
(10,'Kamal Bhatt',31,'all-rounder','right',6),
(11,'Digby Orr',28,'keeper','left',6),
(12,'Will Tasker',22,'bowler','right',5),
(13,'Ed Monk',33,'batter','left',5),
(14,'Sunil Rao',NULL,'batter','right',NULL);
INSERT INTO fixture VALUES
(1,'2023-05-06',1,2,187,164,'sunny'),
(2,'2023-05-13',4,6,142,143,'cloudy'),
(3,'2023-05-20',3,5,98,121,'cloudy'),
(4,'2023-06-03',2,4,205,176,'sunny'),
(5,'2023-06-10',6,1,159,211,'sunny'),
(6,'2023-06-24',5,3,133,87,'windy'),
(7,'2023-07-01',1,4,168,170,'cloudy'),
(8,'2023-07-15',2,6,NULL,NULL,'rain'),
(9,'2023-07-22',3,7,116,109,'windy'),
(10,'2023-08-05',4,1,229,198,'sunny');
INSERT INTO performance VALUES
(1,1,64,71,0,1),(2,1,8,12,4,0),(3,1,33,40,2,2),(4,1,21,35,0,3),(5,1,5,9,3,0),
(6,2,47,58,0,1),(7,2,29,44,1,0),(10,2,55,62,3,1),(11,2,38,51,0,2),
(8,3,11,20,2,1),(9,3,26,49,0,0),(12,3,3,6,5,0),(13,3,72,88,0,1),
(4,4,43,39,0,4),(5,4,14,17,2,1),(6,4,81,95,0,0),
(10,5,36,42,1,1),(1,5,102,117,0,0),(2,5,17,10,5,1),
(12,6,9,15,4,2),(9,6,0,3,0,1),
(3,7,50,53,1,0),(7,7,61,66,2,3),
(8,9,19,24,3,NULL),
(6,10,94,83,0,2),(1,10,76,80,0,1);
