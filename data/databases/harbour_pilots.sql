-- Harbour pilots who bring ships in and out of a port, with ships, berths and pilotage jobs.
CREATE TABLE pilots (
  pilot_id INTEGER PRIMARY KEY,
  pilot_name TEXT NOT NULL,
  licence_grade TEXT,
  licensed_on TEXT,
  max_length_m INTEGER,
  trained_by INTEGER,
  FOREIGN KEY (trained_by) REFERENCES pilots(pilot_id)
);
CREATE TABLE ships (
  ship_id INTEGER PRIMARY KEY,
  ship_name TEXT NOT NULL,
  flag TEXT,
  ship_type TEXT,
  gross_tonnage INTEGER,
  length_m REAL,
  draught_m REAL
);
CREATE TABLE berths (
  berth_code TEXT PRIMARY KEY,
  basin TEXT,
  depth_m REAL,
  quay_length_m INTEGER
);
CREATE TABLE jobs (
  job_id INTEGER PRIMARY KEY,
  ship_id INTEGER NOT NULL,
  pilot_id INTEGER NOT NULL,
  second_pilot_id INTEGER,
  berth_code TEXT,
  direction TEXT,
  job_date TEXT,
  duration_min INTEGER,
  tugs_used INTEGER,
  wind_knots REAL,
  fee REAL,
  FOREIGN KEY (ship_id) REFERENCES ships(ship_id),
  FOREIGN KEY (pilot_id) REFERENCES pilots(pilot_id),
  FOREIGN KEY (second_pilot_id) REFERENCES pilots(pilot_id),
  FOREIGN KEY (berth_code) REFERENCES berths(berth_code)
);
INSERT INTO pilots VALUES
(1,'Gerrit Baas','unlimited','1998-05-04',400,NULL),(2,'Moira Steele','unlimited','2003-11-17',400,1),(3,'Einar Dahl','first','2010-02-22',280,1),(4,'Luis Cabral','first','2012-09-10',260,2),
(5,'Hester Quay','second','2017-06-19',190,2),(6,'Tobias Renn','second','2018-10-01',180,3),(7,'Ayla Demir','trainee','2022-03-14',120,4),(8,'Simon Locke','trainee','2023-08-28',110,3),(9,'Ola Bakke','unlimited','2001-01-29',390,NULL);
INSERT INTO ships VALUES
(1,'Atlantic Jade','Panama','container',94300,334.5,13.8),(2,'Nordic Plover','Norway','tanker',41800,228,11.9),(3,'Rhine Merchant','Netherlands','bulk',28600,187.4,10.2),(4,'Casa Verde','Malta','ro-ro',36200,199.9,7.6),(5,'Silver Anchor','Malta','cruise',88700,292.3,8.1),
(6,'Pacific Opal','Panama','container',132500,366,14.9),(7,'Hollandse Kust','Netherlands','dredger',6400,104.7,6.3),(8,'Trygve Star','Norway','tanker',12900,144.2,8.8),(9,'Bay Trader','Panama','bulk',19750,169.6,9.7),(10,'Little Tern','Norway','coaster',2980,89.5,5.1),(11,'Ionian Queen','Greece','cruise',61500,251,7.9);
INSERT INTO berths VALUES
('A1','outer',16.5,420),('A2','outer',15.8,380),('B1','oil',13.2,260),('B2','oil',10.4,190),('C1','city',9.1,330),('C2','city',7.5,150),('D1','inner',11,240),('D2','inner',8.6,175),('D3','inner',6.9,120);
INSERT INTO jobs VALUES
(1,1,1,3,'A1','in','2024-01-03',155,3,18,7420),(2,2,2,NULL,'B1','in','2024-01-05',120,2,12.5,4310),(3,1,2,NULL,'A1','out','2024-01-06',130,2,9,6980),(4,3,3,NULL,'D1','in','2024-01-11',98,1,21,2875),(5,10,5,7,'D3','in','2024-01-14',62,0,7.5,840),
(6,2,1,NULL,'B1','out','2024-01-15',105,2,14,4050),(7,4,4,NULL,'D1','in','2024-01-22',84,1,26.5,3340),(8,6,9,2,'A1','in','2024-02-02',178,4,16,9850),(9,8,6,NULL,'B2','in','2024-02-07',91,1,11,1960),(10,6,9,1,'A1','out','2024-02-09',149,3,23,9410),
(11,7,6,8,'D2','in','2024-02-15',70,0,19.5,1220),(12,9,5,NULL,'D2','in','2024-02-20',88,1,5.5,2240),(13,5,2,4,'C1','in','2024-03-09',126,2,13,6120),(14,5,2,NULL,'C1','out','2024-03-10',110,1,8,5890),(15,10,7,NULL,'C2','in','2024-03-18',59,0,10.5,815),
(16,4,4,NULL,'D1','out','2024-03-21',77,1,31,3415),(17,8,3,6,'B2','out','2024-04-01',83,1,17,1895),(18,9,5,NULL,NULL,'out','2024-04-06',95,NULL,28,2310),(19,1,9,3,'A2','in','2024-04-17',161,3,22,7560),(20,3,3,7,'D1','out','2024-05-02',101,1,6.5,2790);
