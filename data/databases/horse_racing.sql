-- Horse racing: racecourses, trainers, jockeys, horses, races and the runners in each race.
CREATE TABLE racecourses (
  racecourse_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  country TEXT,
  surface TEXT
);
CREATE TABLE trainers (
  trainer_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  stable_size INTEGER,
  licensed_since INTEGER
);
CREATE TABLE jockeys (
  jockey_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  country TEXT,
  weight_kg REAL,
  birth_date TEXT
);
CREATE TABLE horses (
  horse_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  sex TEXT,
  colour TEXT,
  foaled_year INTEGER,
  sire_id INTEGER REFERENCES horses(horse_id),
  trainer_id INTEGER REFERENCES trainers(trainer_id)
);
CREATE TABLE races (
  race_id INTEGER PRIMARY KEY,
  racecourse_id INTEGER NOT NULL REFERENCES racecourses(racecourse_id),
  race_name TEXT,
  race_date TEXT,
  distance_m INTEGER,
  purse INTEGER,
  going TEXT
);
CREATE TABLE runners (
  race_id INTEGER REFERENCES races(race_id),
  horse_id INTEGER REFERENCES horses(horse_id),
  jockey_id INTEGER REFERENCES jockeys(jockey_id),
  finish_position INTEGER,
  starting_odds REAL,
  PRIMARY KEY (race_id, horse_id)
);
INSERT INTO racecourses VALUES
(1,'Harrowdown','England','turf'),(2,'Kilbracken','Ireland','turf'),(3,'Val d''Orge','France','turf'),(4,'Southmere','England','all-weather'),(5,'Curragh Lea','Ireland','turf'),(6,'Bois Fleuri','France','all-weather'),(7,'Palm Flats','USA','dirt'),(8,'Ashby Heath','England','turf');
INSERT INTO trainers VALUES
(1,'Declan Moriarty',64,1992),(2,'Philippa Grange',38,2004),(3,'Armand Lessard',81,1987),(4,'Wyatt Coley',27,2011),(5,'Joan Tully',19,2015),(6,'Rupert Ainsley',52,1999),(7,'Sorcha Keane',12,2021),(8,'Benoit Charpin',NULL,2008);
INSERT INTO jockeys VALUES
(1,'Finbar Daly','Ireland',53.5,'1990-04-08'),(2,'Ellie Sharpe','England',51.2,'1997-09-23'),(3,'Matteo Rossi','Italy',54.1,'1986-01-15'),(4,'Lucien Barbe','France',52.7,'1994-12-02'),(5,'Craig Nolan','England',55,'1981-07-19'),
(6,'Aoife Brennan','Ireland',50.6,'2001-03-11'),(7,'Trey Mason','USA',52.3,'1992-10-27'),(8,'Yann Picot','France',53.9,NULL),(9,'Dan Hollis','England',54.6,'1989-05-30');
INSERT INTO horses VALUES
(1,'Granite Duke','stallion','grey',2006,NULL,NULL),(2,'Sea Ledger','stallion','bay',2008,NULL,3),(3,'Duke of Thorn','gelding','grey',2017,1,1),(4,'Tidal Account','mare','bay',2018,2,3),(5,'Moonpenny','filly','chestnut',2020,2,2),(6,'Old Copper','gelding','chestnut',2016,NULL,6),
(7,'Quartz Lady','mare','grey',2018,1,6),(8,'Bold Ferryman','colt','bay',2020,2,1),(9,'Whistledown','gelding','black',2019,NULL,4),(10,'Petite Ardoise','filly','grey',2021,1,3),(11,'Kitchen Cabinet','gelding','bay',2017,NULL,5),(12,'Rook Parade','colt','black',2021,NULL,4),(13,'Sunday Tax','mare','chestnut',2019,2,2);
INSERT INTO races VALUES
(1,1,'Spring Handicap','2023-04-15',2000,45000,'good'),(2,2,'Kilbracken Stakes','2023-05-13',1600,82000,'soft'),(3,3,'Prix du Moulin Vert','2023-06-04',2400,150000,'good'),(4,4,'Southmere Sprint','2023-07-08',1200,28000,'standard'),
(5,5,'Lea Cup','2023-08-19',2800,96000,'firm'),(6,7,'Palm Mile','2023-10-07',1650,210000,'fast'),(7,1,'Autumn Plate','2023-10-28',2200,38500,'heavy'),(8,6,'Prix des Tilleuls','2024-02-11',1900,61000,'standard'),(9,8,'Heath Novices','2024-04-20',1400,17500,NULL);
INSERT INTO runners VALUES
(1,3,1,1,3.5),(1,6,5,2,6),(1,7,2,4,9),(1,11,9,3,15),(2,5,6,2,4.5),(2,8,1,1,2.75),(2,13,3,3,11),(3,4,4,1,2.2),(3,7,3,2,7.5),(3,10,8,5,21),(4,9,2,1,5),(4,11,9,2,8.5),(4,13,5,NULL,13),(5,3,1,3,4),(5,6,9,1,10),(5,4,4,2,3.25),
(6,12,7,4,26),(6,9,3,2,12),(6,8,1,1,3),(7,6,5,5,7),(7,7,2,1,6.5),(7,11,NULL,4,17),(8,10,4,1,3.75),(8,4,8,3,2.5),(9,12,2,2,5.5),(9,5,6,1,1.9);
