-- A fishing fleet: ports, boats, skippers, trips at sea and the catch landed from each trip.
CREATE TABLE ports (
  port_id INTEGER PRIMARY KEY,
  port_name TEXT NOT NULL,
  region TEXT,
  berths INTEGER
);
CREATE TABLE boats (
  boat_id INTEGER PRIMARY KEY,
  boat_name TEXT NOT NULL,
  home_port_id INTEGER NOT NULL REFERENCES ports(port_id),
  length_m REAL,
  engine_kw INTEGER,
  built_year INTEGER,
  gear TEXT
);
CREATE TABLE skippers (
  skipper_id INTEGER PRIMARY KEY,
  full_name TEXT NOT NULL,
  birth_date TEXT,
  years_licensed INTEGER
);
CREATE TABLE trips (
  trip_id INTEGER PRIMARY KEY,
  boat_id INTEGER NOT NULL REFERENCES boats(boat_id),
  skipper_id INTEGER REFERENCES skippers(skipper_id),
  departure_port_id INTEGER REFERENCES ports(port_id),
  landing_port_id INTEGER REFERENCES ports(port_id),
  departed_on TEXT,
  returned_on TEXT,
  fuel_litres INTEGER
);
CREATE TABLE catches (
  catch_id INTEGER PRIMARY KEY,
  trip_id INTEGER NOT NULL REFERENCES trips(trip_id),
  species TEXT,
  weight_kg REAL,
  price_per_kg REAL
);
INSERT INTO ports VALUES
(1,'Skarvoy','north',34),(2,'Grimlund','north',18),(3,'Porthenny','west',41),(4,'Balmouth','west',22),(5,'Tern Sound','east',15),(6,'Cockle Bay','south',27),(7,'Ravenspit','east',12),(8,'Old Quay','south',9);
INSERT INTO boats VALUES
(1,'Silver Petrel',1,24.6,620,1994,'trawl'),(2,'Marie Louise',3,17.2,310,1987,'pots'),(3,'Northern Hope',1,31.8,905,2008,'trawl'),(4,'Kittiwake',2,12.4,180,1979,'longline'),
(5,'Ocean Plough',4,28.3,740,2015,'trawl'),(6,'Brave Annie',5,14.9,225,1991,'gillnet'),(7,'Sea Thrift',6,11.7,165,2002,'pots'),(8,'Fulmar',2,19.5,400,2011,'longline'),
(9,'Golden Tide',3,22.1,515,2019,'gillnet'),(10,'Wanderer',7,9.8,120,1968,'pots');
INSERT INTO skippers VALUES
(1,'Anders Holm','1966-03-18',33),(2,'Morwenna Pask','1979-10-05',19),(3,'Ivar Stensen','1984-07-29',14),(4,'Colm Breen','1958-12-11',40),
(5,'Freda Lusk','1990-02-02',8),(6,'Joss Tregear','1973-05-24',27),(7,'Niall Corrigan','1988-08-16',11),(8,'Birgit Aune','1995-01-30',3),(9,'Sam Polglase',NULL,22);
INSERT INTO trips VALUES
(1,1,1,1,1,'2023-01-04','2023-01-11',5200),(2,3,3,1,2,'2023-01-09','2023-01-21',9800),(3,2,2,3,3,'2023-02-01','2023-02-03',640),(4,5,4,4,3,'2023-02-14','2023-02-24',7450),
(5,4,8,2,2,'2023-03-02','2023-03-05',510),(6,6,5,5,5,'2023-03-19','2023-03-23',880),(7,8,3,2,1,'2023-04-08','2023-04-15',2310),(8,9,6,3,4,'2023-04-22','2023-04-29',3015),
(9,7,7,6,6,'2023-05-10','2023-05-11',205),(10,1,1,1,2,'2023-05-28','2023-06-06',6120),(11,3,1,1,5,'2023-06-15','2023-06-30',11350),(12,5,4,4,4,'2023-07-07','2023-07-16',6980),
(13,2,2,3,6,'2023-08-12','2023-08-15',790),(14,9,NULL,4,3,'2023-09-01','2023-09-09',3340),(15,6,5,5,7,'2023-10-20','2023-10-24',915),(16,8,3,1,NULL,'2023-11-27',NULL,NULL);
INSERT INTO catches VALUES
(1,1,'cod',4120,3.85),(2,1,'haddock',2280,2.95),(3,2,'cod',7610,3.6),(4,2,'saithe',3940,1.45),(5,3,'crab',410,6.8),(6,4,'hake',5230,4.1),(7,4,'haddock',1865,3.05),(8,5,'halibut',265,12.4),
(9,6,'cod',540,4.05),(10,7,'halibut',720,11.75),(11,7,'ling',1390,2.2),(12,8,'hake',2475,4.35),(13,9,'lobster',62,24.5),(14,9,'crab',148,7.1),(15,10,'saithe',5050,1.6),(16,10,'cod',1985,3.95),
(17,11,'haddock',6440,2.75),(18,11,'cod',3310,3.7),(19,12,'hake',4615,3.9),(20,13,'lobster',85,22.8),(21,13,'crab',376,6.55),(22,14,'hake',2890,NULL),(23,15,'ling',655,2.35),(24,8,'ling',930,2.1);
