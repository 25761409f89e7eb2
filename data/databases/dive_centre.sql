-- A scuba diving centre with its dive sites, guides, guests, trips and the log of dives.
CREATE TABLE dive_sites (
  site_id INTEGER PRIMARY KEY,
  site_name TEXT NOT NULL,
  site_type TEXT,
  max_depth_m REAL,
  boat_minutes INTEGER
);
CREATE TABLE guides (
  guide_id INTEGER PRIMARY KEY,
  guide_name TEXT NOT NULL,
  nationality TEXT,
  licence_year INTEGER
);
CREATE TABLE guests (
  guest_id INTEGER PRIMARY KEY,
  guest_name TEXT NOT NULL,
  nationality TEXT,
  certification TEXT,
  birth_date TEXT
);
CREATE TABLE trips (
  trip_id INTEGER PRIMARY KEY,
  site_id INTEGER NOT NULL REFERENCES dive_sites(site_id),
  guide_id INTEGER REFERENCES guides(guide_id),
  trip_date TEXT,
  water_temp REAL,
  visibility_m INTEGER,
  price REAL
);
CREATE TABLE dive_logs (
  trip_id INTEGER NOT NULL REFERENCES trips(trip_id),
  guest_id INTEGER NOT NULL REFERENCES guests(guest_id),
  depth_reached REAL,
  bottom_minutes INTEGER,
  PRIMARY KEY (trip_id, guest_id)
);
INSERT INTO dive_sites VALUES
(1,'Lantern Reef','reef',18,12),
(2,'Wreck of the Osprey','wreck',34,40),
(3,'Turtle Bay','reef',11,8),
(4,'The Chimney','cave',27,25),
(5,'Grouper Wall','wall',45,30),
(6,'Sand Garden','reef',14,15),
(7,'Tug Minna','wreck',22,20),
(8,'Blue Window','cave',38,50);
INSERT INTO guides VALUES
(1,'Nico Farrugia','Maltese',2008),
(2,'Emma Stride','British',2015),
(3,'Karim Saleh','Egyptian',2003),
(4,'Liv Aasen','Norwegian',2019),
(5,'Marta Zammit','Maltese',2021);
INSERT INTO guests VALUES
(1,'Paul Ritter','German','advanced','1981-04-12'),
(2,'Jana Ritter','German','open water','1984-10-03'),
(3,'Chloe Marchand','French','rescue','1992-01-27'),
(4,'Bill Osgood','British','open water','1969-07-19'),
(5,'Aiko Senda','Japanese','advanced','1996-12-08'),
(6,'Tom Vickers','British','beginner','2003-05-30'),
(7,'Luca Fermi','Italian','advanced','1977-09-14'),
(8,'Sara Engel','German','beginner','2001-02-22'),
(9,'Denise Roy','French','open water','1988-06-06'),
(10,'Gwen Pryor','British','rescue','1973-11-11'),
(11,'Mats Holm','Swedish','beginner',NULL);
INSERT INTO trips VALUES
(1,1,2,'2023-05-14',18.5,20,55),
(2,3,4,'2023-05-21',19,14,45),
(3,2,1,'2023-06-03',20.5,25,90),
(4,5,3,'2023-06-18',21,32,85),
(5,6,5,'2023-07-02',23.5,18,50),
(6,4,1,'2023-07-15',24,22,80),
(7,8,3,'2023-08-06',26,38,110),
(8,7,2,'2023-08-20',26.5,17,70),
(9,1,5,'2023-09-09',25,24,58),
(10,2,3,'2023-09-23',24.5,28,95),
(11,3,NULL,'2023-10-07',22,11,45);
INSERT INTO dive_logs VALUES
(1,1,16.5,48),(1,2,15,45),(1,4,14.2,41),
(2,6,9.5,36),(2,8,8,33),(2,4,10.6,50),
(3,1,31,29),(3,3,33.5,31),(3,7,30.2,27),
(4,3,38,25),(4,5,36.4,26),(4,10,41.5,22),
(5,6,12,39),(5,9,13.1,46),
(6,1,24.5,34),(6,5,26,37),(6,7,23.3,30),
(7,3,35.7,24),(7,10,37,28),
(8,9,17.8,40),(8,4,19,35),(8,5,20.5,43),
(9,8,11.4,NULL),(9,2,16,47),
(10,7,32.1,32),(10,10,33,30);
