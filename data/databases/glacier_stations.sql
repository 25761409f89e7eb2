-- Research stations on glaciers, the scientists posted there, the yearly mass balance and ice cores drilled.
CREATE TABLE glacier (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  country TEXT,
  area REAL,
  length REAL,
  type TEXT
);
CREATE TABLE station (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  glacier_id INTEGER NOT NULL REFERENCES glacier(id),
  altitude INTEGER,
  opened INTEGER,
  beds INTEGER,
  status TEXT
);
CREATE TABLE scientist (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  country TEXT,
  age INTEGER,
  field TEXT,
  station_id INTEGER REFERENCES station(id)
);
CREATE TABLE mass_balance (
  glacier_id INTEGER REFERENCES glacier(id),
  year INTEGER,
  winter REAL,
  summer REAL,
  PRIMARY KEY (glacier_id, year)
);
CREATE TABLE ice_core (
  id INTEGER PRIMARY KEY,
  station_id INTEGER NOT NULL REFERENCES station(id),
  scientist_id INTEGER REFERENCES scientist(id),
  date TEXT,
  depth REAL,
  oldest_year INTEGER
);
INSERT INTO glacier VALUES
(1,'Hvitbreen','Norway',48.3,14.2,'outlet'),(2,'Korallferner','Austria',8.7,5.1,'valley'),(3,'Glacier du Loup','France',12.4,7.6,'valley'),(4,'Sandjokull','Iceland',215,31.5,'ice cap'),(5,'Blafonn','Norway',66.9,17.8,'ice cap'),
(6,'Cuerno Blanco','Chile',134.6,28.3,'outlet'),(7,'Vedretta Alta','Italy',3.2,2.4,'cirque'),(8,'Ventisquero Azul','Chile',91.5,22.7,'outlet'),(9,'Eisloch','Austria',1.9,1.3,'cirque');
INSERT INTO station VALUES
(1,'Camp Hvit',1,1180,1968,8,'open'),(2,'Nordnunatak',1,1540,1991,4,'summer only'),(3,'Koralhaus',2,2870,1955,12,'open'),(4,'Refuge du Loup',3,3120,1979,6,'summer only'),(5,'Sandbud',4,940,1983,16,'open'),
(6,'Grimsnes Hut',4,1325,2004,5,'closed'),(7,'Blafonn Base',5,1410,1997,10,'open'),(8,'Base Cuerno',6,1760,2009,14,'open'),(9,'Bivacco Alto',7,3305,1972,3,'closed'),(10,'Puesto Azul',8,690,2016,NULL,'summer only');
INSERT INTO scientist VALUES
(1,'Ragna Foss','Norway',44,'mass balance',1),(2,'Eilif Brekke','Norway',58,'hydrology',7),(3,'Theres Auer','Austria',36,'ice chemistry',3),(4,'Martin Plank','Austria',29,'mass balance',3),(5,'Solene Gallet','France',41,'remote sensing',4),(6,'Birna Jonsdottir','Iceland',33,'hydrology',5),
(7,'Arnar Helgi','Iceland',62,'ice chemistry',5),(8,'Camila Rojas','Chile',38,'mass balance',8),(9,'Ignacio Leiva','Chile',47,'ice chemistry',8),(10,'Paolo Rigon','Italy',55,'remote sensing',NULL),(11,'Hugo Tessier','France',27,'ice chemistry',2),(12,'Astrid Moe','Norway',31,'remote sensing',7);
INSERT INTO mass_balance VALUES
(1,2019,1.62,-2.31),(1,2020,2.25,-1.98),(1,2021,1.47,-2.44),(2,2019,1.05,-2.12),(2,2020,0.93,-1.87),(2,2021,1.21,-1.64),(3,2020,1.34,-2.5),(3,2021,1.58,-1.73),(4,2019,1.76,-2.69),(4,2020,1.91,-2.05),(4,2021,1.68,NULL),(5,2019,2.03,-2.27),(5,2020,2.71,-1.92),(5,2021,1.88,-2.36),(6,2020,2.42,-2.83),(6,2021,2.16,-3.1),(7,2019,0.84,-1.79),(7,2021,0.77,-1.55);
INSERT INTO ice_core VALUES
(1,1,1,'2015-05-12',42.5,1921),(2,2,11,'2021-08-03',87,1798),(3,3,3,'2018-09-17',65.3,1742),(4,3,3,'2020-09-08',71.8,1730),(5,3,4,'2022-07-25',18.4,1978),(6,5,7,'2009-06-14',203.6,1284),(7,5,6,'2017-06-30',55.1,1861),(8,6,7,'2011-05-21',148.9,1467),(9,7,2,'2013-04-19',96.2,1705),
(10,7,12,'2022-05-06',30.7,1949),(11,8,9,'2014-01-28',121.4,1590),(12,8,8,'2019-02-11',24.9,1966),(13,8,9,'2023-01-16',134,1541),(14,4,5,'2016-08-22',49.6,1889),(15,9,10,'2003-09-02',12.2,NULL),(16,1,11,'2023-06-05',61,1873);
