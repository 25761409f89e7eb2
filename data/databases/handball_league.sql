-- A handball league with teams, players, games between a home and an away team, and player scores per game.
CREATE TABLE team (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  city TEXT,
  country TEXT,
  hall_seats INTEGER
);
CREATE TABLE player (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  team_id INTEGER REFERENCES team(id),
  position TEXT,
  height INTEGER,
  born INTEGER,
  left_handed INTEGER
);
CREATE TABLE game (
  id INTEGER PRIMARY KEY,
  date TEXT,
  home_id INTEGER NOT NULL REFERENCES team(id),
  away_id INTEGER NOT NULL REFERENCES team(id),
  home_goals INTEGER,
  away_goals INTEGER,
  spectators INTEGER
);
CREATE TABLE score (
  game_id INTEGER REFERENCES game(id),
  player_id INTEGER REFERENCES player(id),
  goals INTEGER,
  shots INTEGER,
  penalty_minutes INTEGER,
  PRIMARY KEY (game_id, player_id)
);
INSERT INTO team VALUES
(1,'HK Brinken','Aarslev','Denmark',3200),(2,'Sturm Hagenau','Hagenau','Germany',5400),(3,'IF Lynet','Norrvik','Sweden',2150),(4,'TV Grafental','Grafental','Germany',4100),(5,'Fjellhauk','Stordal','Norway',1800),
(6,'HC Vesthavn','Vesthavn','Denmark',2750),(7,'Stjerna Malma','Malma','Sweden',3600),(8,'Skogen IL','Elverby','Norway',1250);
INSERT INTO player VALUES
(1,'Mikkel Thorup',1,'back',194,1996,0),(2,'Jesper Lauge',1,'wing',183,1999,1),(3,'Nils Brandau',2,'back',201,1993,0),(4,'Timo Kress',2,'pivot',198,1990,0),(5,'Fabian Roth',2,'keeper',196,1988,0),(6,'Oskar Hedin',3,'wing',180,2001,0),
(7,'Viktor Sjoo',3,'back',192,1997,1),(8,'Jannik Obert',4,'pivot',195,1995,0),(9,'Lars Wenk',4,'wing',178,2002,1),(10,'Sindre Aas',5,'back',189,1994,0),(11,'Eirik Moen',5,'keeper',193,1991,NULL),(12,'Rasmus Bille',6,'back',190,1998,0),
(13,'Anders Friis',6,'wing',181,2000,0),(14,'Elias Norling',7,'back',197,1992,1),(15,'Hampus Ek',7,'pivot',200,1996,0),(16,'Kristian Lie',NULL,'wing',NULL,2003,0),(17,'Even Haugli',8,'back',187,1999,0),(18,'Sander Vik',8,'pivot',196,1994,1),(19,'Jonas Pfeil',4,'keeper',199,1987,0);
INSERT INTO game VALUES
(1,'2023-09-02',1,2,27,31,2980),(2,'2023-09-03',3,4,25,25,1460),(3,'2023-09-09',5,6,22,29,1130),(4,'2023-09-16',2,3,34,24,4870),(5,'2023-09-17',4,1,28,30,3220),(6,'2023-09-24',6,7,26,33,2310),
(7,'2023-10-01',7,5,35,23,3050),(8,'2023-10-07',2,7,29,30,5400),(9,'2023-10-15',1,6,32,26,2640),(10,'2023-10-22',5,4,21,27,985),(11,'2023-11-05',7,3,31,28,2890),(12,'2023-11-12',8,2,24,36,1180),(13,'2023-11-19',3,8,27,22,1325),(14,'2023-12-03',6,2,NULL,NULL,NULL);
INSERT INTO score VALUES
(1,1,8,13,2),(1,2,5,7,0),(1,3,10,15,2),(1,4,6,8,4),(2,6,7,9,0),(2,7,6,12,2),(2,8,5,6,6),(2,9,8,11,0),(3,10,9,17,2),(3,12,7,11,0),(3,13,4,5,0),(4,3,12,16,0),(4,7,5,10,4),(5,1,9,14,0),(5,9,6,8,2),(6,12,6,13,2),
(6,14,11,15,0),(7,15,7,8,4),(7,10,5,12,0),(8,3,7,14,2),(8,14,9,13,2),(8,4,4,4,NULL),(9,2,8,10,0),(9,13,5,9,2),(10,8,6,7,2),(11,14,10,16,0),(11,6,8,12,0),(11,15,3,5,6),(12,17,7,15,2),(12,18,4,6,8),(12,3,13,17,0),(13,6,9,11,0),(13,17,6,12,0);
