-- An indoor climbing gym with its walls, routes, climbers and the attempts they log.
CREATE TABLE wall (
  id INTEGER PRIMARY KEY,
  name TEXT,
  kind TEXT,
  height REAL,
  angle INTEGER
);
CREATE TABLE setter (
  id INTEGER PRIMARY KEY,
  name TEXT,
  country TEXT,
  years INTEGER
);
CREATE TABLE route (
  id INTEGER PRIMARY KEY,
  name TEXT,
  colour TEXT,
  grade INTEGER,
  holds INTEGER,
  date_set TEXT,
  wall_id INTEGER REFERENCES wall(id),
  setter_id INTEGER REFERENCES setter(id)
);
CREATE TABLE climber (
  id INTEGER PRIMARY KEY,
  name TEXT,
  age INTEGER,
  level TEXT,
  height REAL
);
CREATE TABLE attempt (
  id INTEGER PRIMARY KEY,
  climber_id INTEGER REFERENCES climber(id),
  route_id INTEGER REFERENCES route(id),
  date TEXT,
  result TEXT,
  tries INTEGER
);
INSERT INTO wall VALUES
(1,'Prow','lead',15.5,20),
(2,'Slab','top rope',11.0,-8),
(3,'Cave','boulder',4.2,45),
(4,'Tower','lead',18.0,5),
(5,'Island','boulder',3.8,15),
(6,'Main Face','top rope',12.5,0),
(7,'Kids Corner','boulder',2.6,2);
INSERT INTO setter VALUES
(1,'Bruno Talle','France',12),
(2,'Kirsty Ames','Scotland',7),
(3,'Jun Okada','Japan',15),
(4,'Marek Hlavac','Slovakia',4),
(5,'Celine Roux','France',2);
INSERT INTO route VALUES
(1,'Paper Moon','red',5,14,'2024-01-08',2,2),
(2,'Iron Duck','black',8,22,'2024-01-15',1,1),
(3,'Toffee','yellow',3,18,'2024-01-09',6,2),
(4,'Batwing','black',9,11,'2024-02-05',3,3),
(5,'Lost Glove','green',6,9,'2024-02-06',3,3),
(6,'Sky Ladder','blue',7,35,'2024-02-12',4,1),
(7,'Long Lunch','red',5,31,'2023-12-11',4,4),
(8,'Pebble Dash','yellow',2,8,'2024-02-20',5,4),
(9,'Knuckle','green',6,10,'2024-02-21',5,3),
(10,'Quiet Feet','blue',7,13,'2023-11-27',2,1),
(11,'Grand Piano','black',8,26,'2024-03-04',6,NULL),
(12,'Sugar Rush','red',4,12,'2024-03-05',5,2),
(13,'Overdraft','green',NULL,24,'2024-03-11',1,4);
INSERT INTO climber VALUES
(1,'Anna Lisle',27,'expert',1.68),
(2,'Rob Tanner',34,'regular',1.82),
(3,'Yusuf Kaan',19,'expert',1.75),
(4,'Meg Holloway',45,'beginner',1.61),
(5,'Pia Sand',31,'regular',1.7),
(6,'Owen Crick',52,'regular',1.79),
(7,'Lily Moss',15,'beginner',1.57),
(8,'Tariq Nour',23,'expert',1.86),
(9,'Bea Walden',38,'beginner',NULL);
INSERT INTO attempt VALUES
(1,1,2,'2024-03-01','sent',3),
(2,1,4,'2024-03-02','failed',7),
(3,1,6,'2024-03-08','flashed',1),
(4,2,1,'2024-03-01','sent',2),
(5,2,5,'2024-03-03','failed',5),
(6,2,7,'2024-03-15','sent',2),
(7,3,4,'2024-03-04','sent',6),
(8,3,2,'2024-03-04','flashed',1),
(9,3,11,'2024-03-16','sent',4),
(10,4,3,'2024-03-05','flashed',1),
(11,4,8,'2024-03-05','sent',3),
(12,4,1,'2024-03-12','failed',4),
(13,5,9,'2024-03-06','sent',5),
(14,5,10,'2024-03-13','failed',2),
(15,6,7,'2024-03-07','flashed',1),
(16,6,12,'2024-03-09','sent',2),
(17,7,8,'2024-03-09','failed',8),
(18,7,3,'2024-03-17','sent',2),
(19,8,4,'2024-03-10','failed',9),
(20,8,11,'2024-03-14','flashed',1),
(21,8,6,'2024-03-18','sent',2);
