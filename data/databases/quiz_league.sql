-- A pub quiz league: teams, players, fixtures between two teams and answers by round.
CREATE TABLE pub (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  town TEXT,
  capacity INTEGER
);
CREATE TABLE team (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  division TEXT,
  founded INTEGER,
  pub_id INTEGER REFERENCES pub(id)
);
CREATE TABLE player (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  age INTEGER,
  best_subject TEXT,
  team_id INTEGER REFERENCES team(id)
);
CREATE TABLE fixture (
  id INTEGER PRIMARY KEY,
  home_team_id INTEGER NOT NULL REFERENCES team(id),
  away_team_id INTEGER NOT NULL REFERENCES team(id),
  date TEXT,
  home_points INTEGER,
  away_points INTEGER
);
CREATE TABLE round_score (
  fixture_id INTEGER REFERENCES fixture(id),
  player_id INTEGER REFERENCES player(id),
  subject TEXT,
  asked INTEGER,
  correct INTEGER,
  PRIMARY KEY (fixture_id, player_id)
);
INSERT INTO pub VALUES
(1,'The Plough','Wexham',70),(2,'Red Otter','Wexham',45),(3,'Three Keys','Marlow Bay',110),
(4,'Fiddler','Marlow Bay',58),(5,'Railway Arms','Tolland',84),(6,'Blue Anchor','Tolland',36),
(7,'Swan','Pickering',92),(8,'Drum and Pipe','Pickering',NULL);
INSERT INTO team VALUES
(1,'Quizzly Bears','A',2006,1),
(2,'Otter Nonsense','A',2011,2),
(3,'Keyholders','A',1998,3),
(4,'Second Fiddle','B',2015,4),
(5,'Fast Trains','A',2003,5),
(6,'Anchor Men','B',2017,6),
(7,'Ugly Ducklings','B',2009,7),
(8,'Plough On','B',2020,1),
(9,'The Unread','B',2022,NULL);
INSERT INTO player VALUES
(1,'Moira Kent',52,'history',1),(2,'Jed Farley',47,'sport',1),(3,'Asha Lowe',29,'science',2),
(4,'Colin Brand',61,'music',2),(5,'Ursula Pike',58,'history',3),(6,'Nat Olander',34,'film',3),
(7,'Sid Marwood',40,'sport',4),(8,'Gwen Ives',66,'music',4),(9,'Rhys Talbot',38,'science',5),
(10,'Paula Drew',44,'film',5),(11,'Lou Sharpe',31,'sport',6),(12,'Ian Creel',55,'history',7),
(13,'Dot Hensley',71,'music',7),(14,'Ben Aster',24,'film',8),(15,'Zoe Rankin',27,NULL,NULL);
INSERT INTO fixture VALUES
(1,1,2,'2023-09-05',41,36),(2,3,5,'2023-09-05',38,44),(3,4,6,'2023-09-12',29,33),
(4,7,8,'2023-09-12',35,27),(5,2,3,'2023-09-19',42,39),(6,5,1,'2023-09-19',37,37),
(7,6,7,'2023-09-26',30,34),(8,8,4,'2023-09-26',25,40),(9,1,3,'2023-10-03',48,31),
(10,5,2,'2023-10-03',43,45),(11,7,4,'2023-10-10',32,28),(12,8,6,'2023-10-10',NULL,NULL);
INSERT INTO round_score VALUES
(1,1,'history',12,10),(1,2,'sport',10,6),(1,3,'science',12,9),(1,4,'music',9,5),
(2,5,'history',12,8),(2,9,'science',11,11),(2,10,'film',10,7),(3,7,'sport',9,4),
(3,11,'sport',10,8),(4,12,'history',12,9),(4,14,'film',8,3),(5,3,'science',13,12),
(5,6,'film',10,9),(6,9,'science',12,7),(6,1,'history',11,11),(7,11,'sport',9,5),
(7,13,'music',10,10),(8,8,'music',12,11),(8,14,'film',9,6),(9,2,'sport',11,9),
(9,5,'history',10,5),(10,4,'music',12,8),(10,10,'film',9,8),(11,12,'history',10,7),
(2,6,'film',11,10),(4,13,'music',9,7),(7,12,'history',12,6),(11,7,'sport',10,9);
