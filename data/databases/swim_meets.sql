-- Swimming meets, the pools, clubs and swimmers, and the results of each event.
CREATE TABLE pool (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  city TEXT,
  length INTEGER,
  lanes INTEGER
);
CREATE TABLE club (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  city TEXT,
  founded INTEGER
);
CREATE TABLE swimmer (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  sex TEXT,
  birth_year INTEGER,
  club_id INTEGER REFERENCES club(id)
);
CREATE TABLE meet (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  year INTEGER,
  start_date TEXT,
  pool_id INTEGER REFERENCES pool(id),
  host_id INTEGER REFERENCES club(id)
);
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  meet_id INTEGER NOT NULL REFERENCES meet(id),
  stroke TEXT,
  distance INTEGER
);
CREATE TABLE result (
  event_id INTEGER REFERENCES event(id),
  swimmer_id INTEGER REFERENCES swimmer(id),
  lane INTEGER,
  seconds REAL,
  place INTEGER,
  PRIMARY KEY (event_id, swimmer_id)
);
INSERT INTO pool VALUES
(1,'Aqua Hall','Brenta',50,8),(2,'Riverside Baths','Cormel',25,6),(3,'Olympia','Brenta',50,10),
(4,'Marlin Centre','Dorsk',25,8),(5,'Old Lido','Elland',33,5),(6,'Tidepool','Cormel',50,8),
(7,'Fenwick Leisure','Fenwick',25,4),(8,'Stadium Pool','Dorsk',50,10);
INSERT INTO club VALUES
(1,'Brenta Sharks','Brenta',1954),(2,'Cormel Dolphins','Cormel',1978),(3,'Dorsk Otters','Dorsk',1991),
(4,'Elland Swim','Elland',1936),(5,'Brenta Masters','Brenta',2005),(6,'Fenwick Rays','Fenwick',2012),
(7,'Halmar Aquatic','Halmar',1969),(8,'Cormel Ladies','Cormel',1947);
INSERT INTO swimmer VALUES
(1,'Ada Kovar','F',2003,1),(2,'Boyd Trane','M',2001,1),(3,'Carla Weiss','F',2005,2),
(4,'Dean Ullo','M',2004,2),(5,'Eva Prosser','F',2002,3),(6,'Fabio Lenz','M',1999,3),
(7,'Gemma Hoyt','F',2006,4),(8,'Harvey Sills','M',2003,4),(9,'Ilka Moen','F',1987,5),
(10,'Jorge Paz','M',1984,5),(11,'Kira Dolan','F',2004,1),(12,'Leon Abt','M',2005,2),
(13,'Mia Torrance','F',2007,NULL);
INSERT INTO meet VALUES
(1,'Winter Open',2022,'2022-01-22',1,1),(2,'Spring Cup',2022,'2022-04-09',2,2),
(3,'City Games',2022,'2022-06-18',3,1),(4,'Otter Trophy',2022,'2022-11-05',4,3),
(5,'Winter Open',2023,'2023-01-21',1,1),(6,'Spring Cup',2023,'2023-04-15',6,2),
(7,'Lido Gala',2023,'2023-07-08',5,4),(8,'Otter Trophy',2023,'2023-11-04',4,NULL);
INSERT INTO event VALUES
(1,1,'freestyle',100),(2,1,'backstroke',100),(3,2,'freestyle',50),(4,2,'butterfly',100),
(5,3,'freestyle',400),(6,3,'breaststroke',100),(7,4,'backstroke',200),(8,5,'freestyle',100),
(9,5,'butterfly',50),(10,6,'breaststroke',200),(11,6,'freestyle',50),(12,7,'freestyle',100);
INSERT INTO result VALUES
(1,2,4,52.31,1),(1,4,5,53.07,2),(1,6,3,54.92,3),(2,1,4,63.48,1),(2,3,5,65.1,2),
(3,4,3,24.05,1),(3,8,2,24.88,2),(3,10,5,27.43,3),(4,5,4,64.77,2),(4,11,3,63.9,1),
(5,2,5,243.6,1),(5,12,6,251.15,2),(6,7,4,74.36,1),(6,9,2,81.02,2),(7,1,4,137.85,1),
(7,5,3,141.2,2),(8,2,4,51.84,1),(8,4,5,52.19,2),(8,12,7,55.6,4),(8,8,2,54.41,3),
(9,11,4,28.66,1),(9,3,6,29.3,2),(10,7,5,158.74,1),(10,9,3,NULL,NULL),(11,6,4,23.97,1),
(11,10,1,26.95,2),(12,8,3,56.28,2),(12,12,2,55.97,1);
