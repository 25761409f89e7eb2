-- A restaurant guide with chefs, restaurants, inspectors and their visits.
CREATE TABLE city (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  country TEXT,
  population INTEGER
);
CREATE TABLE chef (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  age INTEGER,
  country TEXT,
  mentor_id INTEGER REFERENCES chef(id)
);
CREATE TABLE restaurant (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  city_id INTEGER REFERENCES city(id),
  chef_id INTEGER REFERENCES chef(id),
  cuisine TEXT,
  seats INTEGER,
  stars INTEGER,
  menu_price REAL
);
CREATE TABLE inspector (
  id INTEGER PRIMARY KEY,
  code_name TEXT NOT NULL,
  since INTEGER
);
CREATE TABLE visit (
  id INTEGER PRIMARY KEY,
  restaurant_id INTEGER NOT NULL REFERENCES restaurant(id),
  inspector_id INTEGER NOT NULL REFERENCES inspector(id),
  date TEXT,
  food REAL,
  service REAL,
  bill REAL
);
INSERT INTO city VALUES
(1,'Lyon','France',522000),(2,'Porto','Portugal',232000),(3,'Ghent','Belgium',265000),
(4,'Bologna','Italy',390000),(5,'Nantes','France',323000),(6,'Turin','Italy',848000),
(7,'Braga','Portugal',193000),(8,'Bruges','Belgium',119000);
INSERT INTO chef VALUES
(1,'Armand Tessier',61,'France',NULL),
(2,'Livia Bonetti',54,'Italy',1),
(3,'Joao Serrano',39,'Portugal',1),
(4,'Elke Van Roy',45,'Belgium',NULL),
(5,'Dario Mancuso',33,'Italy',2),
(6,'Noemie Gaspard',37,'France',1),
(7,'Rui Falcao',48,'Portugal',NULL),
(8,'Bram Declercq',29,'Belgium',4),
(9,'Sofia Zanella',42,'Italy',2),
(10,'Hiro Tanabe',50,'Japan',NULL),
(11,'Clement Aubry',26,'France',6);
INSERT INTO restaurant VALUES
(1,'La Cloche',1,1,'French',42,3,185.0),
(2,'Petit Four',1,6,'French',31,1,74.5),
(3,'Maison Vide',5,11,'French',24,0,48.0),
(4,'Mar Alto',2,3,'Seafood',54,2,120.0),
(5,'Casa Velha',2,7,'Portuguese',90,0,36.5),
(6,'Forno Sette',4,2,'Italian',38,2,135.0),
(7,'Osteria Nina',4,9,'Italian',57,1,62.0),
(8,'Grano',6,5,'Italian',35,0,41.0),
(9,'De Zwaan',3,4,'Belgian',44,1,89.0),
(10,'Kaai Acht',8,8,'Seafood',28,0,57.5),
(11,'Tanabe',6,10,'Japanese',16,2,160.0),
(12,'Sal',7,NULL,'Seafood',73,0,33.0),
(13,'Le Quai',5,6,'Seafood',40,1,95.0);
INSERT INTO inspector VALUES
(1,'Basil',2005),(2,'Juniper',2011),(3,'Saffron',2016),(4,'Clove',2019),(5,'Sorrel',2022),(6,'Mace',NULL),(7,'Fennel',2014),(8,'Thyme',2008);
INSERT INTO visit VALUES
(1,1,1,'2023-01-17',9.6,9.4,231.0),(2,1,2,'2023-06-08',9.3,9.7,248.5),
(3,2,1,'2023-01-18',7.9,8.2,96.0),(4,3,3,'2023-02-07',6.4,7.0,61.5),
(5,4,2,'2023-02-21',8.8,8.5,152.0),(6,4,4,'2023-09-14',9.0,8.1,149.0),
(7,5,2,'2023-02-22',6.9,7.7,44.0),(8,6,3,'2023-03-09',9.1,8.9,170.0),
(9,7,3,'2023-03-10',8.3,7.4,83.0),(10,8,1,'2023-03-28',6.7,6.1,52.5),
(11,9,4,'2023-04-13',8.0,8.6,117.0),(12,10,4,'2023-04-14',7.2,6.8,71.0),
(13,11,1,'2023-03-29',9.2,9.0,205.0),(14,11,5,'2023-10-05',8.7,9.1,198.0),
(15,13,3,'2023-05-16',7.8,NULL,122.5),(16,6,5,'2023-10-18',8.9,9.3,177.0),
(17,9,2,'2023-11-07',8.1,7.9,109.0),(18,7,5,'2023-10-19',7.6,7.3,78.0),
(19,5,7,'2023-11-21',6.6,7.2,39.5),(20,13,7,'2023-12-05',8.2,8.4,131.0);
