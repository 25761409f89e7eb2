-- A concert promoter books bands into venues and sells tickets for the shows.
CREATE TABLE venues (
  venue_id INTEGER PRIMARY KEY,
  venue_name TEXT NOT NULL,
  city TEXT,
  capacity INTEGER,
  hire_fee REAL
);
CREATE TABLE bands (
  band_id INTEGER PRIMARY KEY,
  band_name TEXT NOT NULL,
  genre TEXT,
  formed_year INTEGER,
  home_country TEXT
);
CREATE TABLE shows (
  show_id INTEGER PRIMARY KEY,
  venue_id INTEGER NOT NULL,
  headliner_id INTEGER NOT NULL,
  support_id INTEGER,
  show_date TEXT,
  status TEXT,
  FOREIGN KEY (venue_id) REFERENCES venues(venue_id),
  FOREIGN KEY (headliner_id) REFERENCES bands(band_id),
  FOREIGN KEY (support_id) REFERENCES bands(band_id)
);
CREATE TABLE ticket_sales (
  sale_id INTEGER PRIMARY KEY,
  show_id INTEGER NOT NULL,
  ticket_type TEXT,
  price REAL,
  tickets_sold INTEGER,
  FOREIGN KEY (show_id) REFERENCES shows(show_id)
);
INSERT INTO venues VALUES
(1,'Foundry Hall','Bristow',1200,3400),
(2,'The Crypt','Bristow',280,650),
(3,'Apollo Rooms','Lanchester',2100,5900),
(4,'Riverside Arena','Kelby',8500,24000),
(5,'Ballroom 44','Lanchester',750,1850),
(6,'Dock Stage','Kelby',3200,7600),
(7,'The Lamp','Norwell',150,300),
(8,'City Gardens','Norwell',5000,NULL);
INSERT INTO bands VALUES
(1,'Velvet Anchors','rock',2006,'Ireland'),
(2,'Nine Mile Radio','indie',2014,'England'),
(3,'Solveig Nord','folk',2011,'Norway'),
(4,'Brass Horizon','jazz',1998,'England'),
(5,'The Static Owls','indie',2019,'Wales'),
(6,'Iron Parish','metal',2002,'Finland'),
(7,'Coral Machine','electronic',2016,'Germany'),
(8,'Hazel and the Tides','folk',2020,'Ireland'),
(9,'Grave Orchard','metal',2010,'Finland'),
(10,'Paper Tigers Club','rock',2017,'England'),
(11,'Lumen','electronic',2021,'Germany'),
(12,'Old Tin Roof','rock',1989,'England');
INSERT INTO shows VALUES
(1,1,1,10,'2023-02-10','done'),
(2,2,5,NULL,'2023-02-24','done'),
(3,3,4,NULL,'2023-03-18','done'),
(4,4,6,9,'2023-04-07','done'),
(5,5,3,8,'2023-05-12','done'),
(6,6,7,11,'2023-06-30','cancelled'),
(7,1,2,5,'2023-09-15','done'),
(8,3,1,2,'2023-10-21','done'),
(9,7,8,NULL,'2023-11-04','done'),
(10,6,12,10,'2024-03-09','done'),
(11,4,1,12,'2024-05-25','planned'),
(12,5,9,NULL,'2024-06-08','planned'),
(13,2,10,5,'2024-06-14','planned'),
(14,1,7,NULL,'2024-04-19','cancelled');
INSERT INTO ticket_sales VALUES
(1,1,'standing',22.5,840),(2,1,'balcony',31,195),
(3,2,'standing',12,236),
(4,3,'seated',38,1410),(5,3,'box',75,48),
(6,4,'standing',41.5,5120),(7,4,'seated',52,2390),(8,4,'box',120,64),
(9,5,'seated',19.5,602),
(10,6,'standing',28,915),
(11,7,'standing',20,1003),(12,7,'balcony',27.5,141),
(13,8,'standing',33,1275),(14,8,'seated',44,690),
(15,9,'standing',9.5,NULL),
(16,10,'standing',35,2248),(17,10,'seated',47,530),
(18,11,'standing',49,3870),(19,11,'seated',65,1625),(20,11,'box',140,31),
(21,12,'standing',26,318),
(22,13,'standing',14,102);
