-- A yearly poetry prize: poets, collections, judges and the scores they gave.
CREATE TABLE poet (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  country TEXT,
  birth_year INTEGER
);
CREATE TABLE publisher (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  city TEXT,
  founded INTEGER
);
CREATE TABLE collection (
  id INTEGER PRIMARY KEY,
  title TEXT NOT NULL,
  poet_id INTEGER REFERENCES poet(id),
  publisher_id INTEGER REFERENCES publisher(id),
  year INTEGER,
  pages INTEGER,
  result TEXT
);
CREATE TABLE judge (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  profession TEXT,
  age INTEGER
);
CREATE TABLE score (
  collection_id INTEGER REFERENCES collection(id),
  judge_id INTEGER REFERENCES judge(id),
  points REAL,
  PRIMARY KEY (collection_id, judge_id)
);
INSERT INTO poet VALUES
(1,'Maren Oddsen','Norway',1961),
(2,'Ciaran Dolby','Ireland',1974),
(3,'Ines Valcarcel','Spain',1988),
(4,'Tobias Rehn','Germany',1955),
(5,'Aoife Larkwood','Ireland',1990),
(6,'Jonah Pettifer','Canada',1979),
(7,'Lucia Ferrand','Spain',1968),
(8,'Greta Holmqvist','Norway',1983),
(9,'Samuel Adeyi','Canada',1994),
(10,'Klaus Imhoff','Germany',1947),
(11,'Rosa Tillane','Ireland',NULL),
(12,'Piers Landry','Canada',1966);
INSERT INTO publisher VALUES
(1,'Heron Press','Dublin',1952),
(2,'Lampa Forlag','Oslo',1978),
(3,'Cal y Canto','Madrid',1991),
(4,'Nachtbuch','Leipzig',1936),
(5,'Split Maple','Toronto',2004),
(6,'Small Hours','Dublin',2015),
(7,'Kiosk Editions','Toronto',2019),
(8,'Paper Kite','Madrid',NULL);
INSERT INTO collection VALUES
(1,'Salt Ledger',1,2,2018,72,'winner'),
(2,'The Peat Cutter',2,1,2018,64,'shortlist'),
(3,'Mapa de Lluvia',3,3,2018,96,'longlist'),
(4,'Winterakte',4,4,2019,88,'winner'),
(5,'Borrowed Coats',5,6,2019,58,'shortlist'),
(6,'Ferry to Nowhere',6,5,2019,81,'shortlist'),
(7,'Doce Puertas',7,3,2020,104,'winner'),
(8,'Fjord Grammar',8,2,2020,69,'longlist'),
(9,'Second Alphabet',2,1,2020,77,'shortlist'),
(10,'Gravel Psalms',9,5,2021,61,'winner'),
(11,'Der Stille Hof',10,4,2021,120,'longlist'),
(12,'Kitchen Comets',5,6,2021,66,'shortlist'),
(13,'Moth Hours',11,6,2022,54,NULL),
(14,'Tideline',1,2,2022,84,'shortlist'),
(15,'Red Canoe',6,7,2022,92,'winner');
INSERT INTO judge VALUES
(1,'Hester Voss','critic',58),
(2,'Andre Malik','poet',44),
(3,'Petra Sund','translator',51),
(4,'Owen Carrick','poet',67),
(5,'Bianca Roth','editor',39),
(6,'Felix Marchetti','critic',47),
(7,'Ruth Amsel','editor',62),
(8,'Dario Quill','translator',35);
INSERT INTO score VALUES
(1,1,8.9),(1,2,9.2),(2,1,7.8),(2,2,8.1),(3,1,6.5),
(4,3,9.0),(4,1,8.7),(5,3,8.2),(5,4,7.1),(6,4,7.9),
(7,2,9.4),(7,5,9.1),(8,5,6.8),(9,2,8.0),(9,4,7.6),
(10,6,8.8),(10,5,9.3),(11,6,5.9),(12,6,8.3),(12,3,7.4),
(13,7,6.1),(14,7,8.5),(14,6,7.7),(15,7,9.5),(15,1,8.6),
(3,2,6.2),(6,3,7.3),(11,5,6.4);
