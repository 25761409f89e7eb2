-- A film archive with directors, films, the physical prints it holds and their loans to cinemas.
CREATE TABLE director (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  country TEXT,
  birth_year INTEGER,
  death_year INTEGER
);
CREATE TABLE film (
  id INTEGER PRIMARY KEY,
  title TEXT NOT NULL,
  year INTEGER,
  genre TEXT,
  minutes INTEGER,
  language TEXT,
  director_id INTEGER REFERENCES director(id),
  remake_of INTEGER REFERENCES film(id)
);
CREATE TABLE print (
  id INTEGER PRIMARY KEY,
  film_id INTEGER NOT NULL REFERENCES film(id),
  gauge TEXT,
  condition TEXT,
  acquired INTEGER,
  reels INTEGER
);
CREATE TABLE cinema (
  id INTEGER PRIMARY KEY,
  name TEXT,
  city TEXT,
  seats INTEGER
);
CREATE TABLE loan (
  id INTEGER PRIMARY KEY,
  print_id INTEGER NOT NULL REFERENCES print(id),
  cinema_id INTEGER NOT NULL REFERENCES cinema(id),
  date_out TEXT,
  date_back TEXT,
  fee REAL
);
INSERT INTO director VALUES
(1,'Ada Morgenrot','Germany',1896,1971),(2,'Luc Verdier','France',1911,1989),(3,'Pietro Calvi','Italy',1925,2003),(4,'Ilona Farkas','Hungary',1938,NULL),
(5,'Ewan Sterrock','Scotland',1943,2017),(6,'Colette Ravin','France',1950,NULL),(7,'Horst Albin','Germany',1902,1944),(8,'Marta Deluca','Italy',1961,NULL);
INSERT INTO film VALUES
(1,'The Salt Road',1927,'drama',88,'silent',1,NULL),(2,'Night Ferry',1931,'crime',79,'German',7,NULL),(3,'Le Dernier Wagon',1948,'crime',96,'French',2,NULL),
(4,'Orchard Street',1955,'drama',104,'Italian',3,NULL),(5,'Night Ferry',1963,'crime',111,'Italian',3,2),(6,'A Bridge of Reeds',1969,'drama',122,'Hungarian',4,NULL),
(7,'Gannet Rock',1974,'documentary',57,'English',5,NULL),(8,'The Salt Road',1981,'drama',134,'French',6,1),(9,'Clockmaker',1934,'comedy',72,'German',1,NULL),
(10,'Peat and Iron',1979,'documentary',64,'English',5,NULL),(11,'Blue Umbrella',1986,'comedy',93,'French',6,NULL),(12,'Orchard Street',1998,'drama',118,'Italian',8,4),
(13,'Snow Inventory',1923,'documentary',41,'silent',NULL,NULL);
INSERT INTO print VALUES
(1,1,'35mm','fair',1964,6),(2,1,'16mm','good',1988,3),(3,2,'35mm','poor',1959,5),(4,3,'35mm','good',1971,7),(5,4,'35mm','good',1978,8),
(6,5,'35mm','fair',1983,9),(7,6,'35mm','good',1992,10),(8,7,'16mm','good',1995,2),(9,8,'70mm','fair',2001,12),(10,9,'35mm','poor',1961,4),
(11,10,'16mm','fair',1997,2),(12,11,'35mm','good',2006,7),(13,13,'35mm','poor',1957,2),(14,4,'16mm','fair',2010,4);
INSERT INTO cinema VALUES
(1,'Orpheum','Graz',310),(2,'Lux','Lyon',185),(3,'Kino Bellevue','Zurich',420),(4,'Filmhuset','Bergen',140),(5,'Odeonette','Lyon',96),(6,'Studio Nord','Bergen',72),
(7,'Astra','Graz',255),(8,'Cinema Garda','Verona',205);
INSERT INTO loan VALUES
(1,1,3,'2019-03-04','2019-03-20',240),(2,4,2,'2019-05-11','2019-05-25',180),(3,5,8,'2019-09-01','2019-09-30',320),(4,8,4,'2020-01-15','2020-02-02',90),
(5,2,1,'2020-02-20','2020-03-09',135),(6,7,3,'2021-06-07','2021-06-28',260),(7,9,3,'2021-10-02','2021-11-05',540),(8,12,5,'2022-01-19','2022-01-31',150),
(9,12,2,'2022-04-08','2022-04-29',165),(10,6,8,'2022-07-14','2022-08-01',275),(11,1,1,'2022-10-10','2022-11-01',250),(12,5,1,'2023-02-03','2023-02-19',310),
(13,8,6,'2023-04-22','2023-05-06',85),(14,11,4,'2023-09-12','2023-10-01',95),(15,7,2,'2024-01-08','2024-01-30',270),(16,4,5,'2024-03-16',NULL,190),
(17,9,7,'2024-04-02',NULL,NULL),(18,14,8,'2024-05-05','2024-05-21',120);
