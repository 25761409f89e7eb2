-- Alpine huts, the trails between them, their wardens and the overnight stays of hikers.
CREATE TABLE warden (
  id INTEGER PRIMARY KEY,
  name TEXT,
  age INTEGER,
  since_year INTEGER
);
CREATE TABLE hut (
  id INTEGER PRIMARY KEY,
  name TEXT,
  altitude INTEGER,
  beds INTEGER,
  country TEXT,
  price REAL,
  warden_id INTEGER REFERENCES warden(id)
);
CREATE TABLE trail (
  id INTEGER PRIMARY KEY,
  from_hut INTEGER REFERENCES hut(id),
  to_hut INTEGER REFERENCES hut(id),
  length_km REAL,
  grade TEXT
);
CREATE TABLE hiker (
  id INTEGER PRIMARY KEY,
  name TEXT,
  country TEXT,
  club TEXT,
  birth_year INTEGER
);
CREATE TABLE stay (
  id INTEGER PRIMARY KEY,
  hut_id INTEGER REFERENCES hut(id),
  hiker_id INTEGER REFERENCES hiker(id),
  arrival TEXT,
  nights INTEGER,
  meals TEXT
);
INSERT INTO warden VALUES
(1,'Luis Tappeiner',58,1996),
(2,'Marie Favre',44,2008),
(3,'Urs Zumthor',63,1989),
(4,'Greta Kofler',35,2017),
(5,'Jean Blondet',51,2003),
(6,'Silvia Costa',47,2011),
(7,'Toni Eberle',29,2021),
(8,'Anna Rigoni',39,NULL);
INSERT INTO hut VALUES
(1,'Edelhorn Hut',2310,64,'Austria',34.0,1),
(2,'Refuge du Lac',2045,40,'France',28.5,2),
(3,'Gletscherblick',2875,92,'Switzerland',47.0,3),
(4,'Rifugio Stella',2540,55,'Italy',36.0,6),
(5,'Marmot Lodge',1780,28,'Austria',25.0,4),
(6,'Col Noir',2690,70,'France',39.5,5),
(7,'Felsenegg',2120,48,'Switzerland',42.0,3),
(8,'Rifugio Ombra',1935,32,'Italy',27.0,8),
(9,'Kreuzjoch',2455,80,'Austria',33.0,1),
(10,'Bivacco Alto',3120,9,'Italy',NULL,NULL),
(11,'Sonnalm',1690,36,'Austria',30.0,7);
INSERT INTO trail VALUES
(1,1,9,7.4,'medium'),
(2,9,5,11.2,'easy'),
(3,5,11,5.6,'easy'),
(4,1,3,14.8,'hard'),
(5,3,7,9.1,'medium'),
(6,7,4,12.5,'hard'),
(7,4,10,4.3,'hard'),
(8,4,8,8.7,'medium'),
(9,2,6,10.3,'medium'),
(10,6,3,16.0,'hard'),
(11,8,1,13.6,'medium'),
(12,11,1,6.9,'easy');
INSERT INTO hiker VALUES
(1,'Birgit Thoma','Germany','Edelweiss',1981),
(2,'Paolo Serra','Italy','Aquile',1975),
(3,'Nina Jost','Switzerland','Edelweiss',1994),
(4,'Henri Lacombe','France',NULL,1962),
(5,'Wout Dekker','Netherlands','Lowland Alpine',1988),
(6,'Eva Pichler','Austria','Edelweiss',2000),
(7,'Sean Dolan','Ireland',NULL,1991),
(8,'Carla Monti','Italy','Aquile',1969),
(9,'Jens Falk','Germany','Lowland Alpine',1978),
(10,'Zoe Marchand','France',NULL,1997),
(11,'Ralf Kuhn','Germany','Edelweiss',1955);
INSERT INTO stay VALUES
(1,1,1,'2023-06-24',2,'half board'),
(2,9,1,'2023-06-26',1,'half board'),
(3,4,2,'2023-07-01',3,'none'),
(4,3,3,'2023-07-08',1,'full board'),
(5,7,3,'2023-07-09',2,'breakfast'),
(6,2,4,'2023-07-14',4,'half board'),
(7,6,4,'2023-07-18',1,'half board'),
(8,5,5,'2023-07-22',5,'breakfast'),
(9,11,5,'2023-07-27',2,'breakfast'),
(10,1,6,'2023-08-03',1,'none'),
(11,3,7,'2023-08-06',2,'full board'),
(12,6,7,'2023-08-08',3,'half board'),
(13,4,8,'2023-08-11',2,'none'),
(14,10,2,'2023-08-12',1,'none'),
(15,8,8,'2023-08-13',4,'half board'),
(16,9,9,'2023-08-19',3,'breakfast'),
(17,1,9,'2023-08-22',2,'half board'),
(18,3,6,'2023-09-02',1,NULL),
(19,2,10,'2023-09-09',2,'breakfast'),
(20,5,1,'2023-09-16',6,'full board');
