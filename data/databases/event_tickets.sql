-- A ticket office that sells seats for concerts, plays and matches at several venues.
CREATE TABLE venues (
  venue_id INTEGER PRIMARY KEY,
  venue_name TEXT NOT NULL,
  city TEXT NOT NULL,
  capacity INTEGER,
  is_open_air INTEGER
);
CREATE TABLE events (
  event_id INTEGER PRIMARY KEY,
  title TEXT NOT NULL,
  category TEXT,
  event_date TEXT,
  venue_id INTEGER NOT NULL,
  base_price REAL,
  status TEXT,
  FOREIGN KEY (venue_id) REFERENCES venues(venue_id)
);
CREATE TABLE buyers (
  buyer_id INTEGER PRIMARY KEY,
  full_name TEXT NOT NULL,
  home_city TEXT,
  birth_year INTEGER,
  member_level TEXT
);
CREATE TABLE tickets (
  ticket_id INTEGER PRIMARY KEY,
  event_id INTEGER NOT NULL,
  buyer_id INTEGER NOT NULL,
  seat_zone TEXT,
  price_paid REAL,
  sold_on TEXT,
  channel TEXT,
  refunded_on TEXT,
  FOREIGN KEY (event_id) REFERENCES events(event_id),
  FOREIGN KEY (buyer_id) REFERENCES buyers(buyer_id)
);
INSERT INTO venues VALUES
(1,'Lantern Hall','Leeds',1850,0),(2,'Quayside Arena','Bristol',9200,0),(3,'Old Mill Theatre','Leeds',420,0),(4,'Castle Meadow','Cardiff',14000,1),
(5,'The Glasshouse','Bristol',760,0),(6,'Riverside Bowl','Norwich',5300,1),(7,'Foundry Stage','Cardiff',310,0),(8,'St Hilda Rooms','Norwich',240,0);
INSERT INTO events VALUES
(1,'Marlow Quartet','concert','2024-02-10',1,32.5,'held'),(2,'The Paper Crown','play','2024-02-24',3,24,'held'),
(3,'Brass on the Meadow','concert','2024-06-15',4,41,'held'),(4,'Regional Boxing Night','sport','2024-03-09',2,55,'held'),
(5,'Laughing Gas Live','comedy','2024-04-05',5,19.5,'cancelled'),(6,'Winter Tale Redux','play','2024-05-17',3,27,'held'),
(7,'Summer Bowl Festival','concert','2024-07-20',6,68,'held'),(8,'Indoor Tennis Gala','sport','2024-09-14',2,47.5,'planned'),
(9,'One Man Orchestra','comedy','2024-08-30',7,16,'held'),(10,'Harp and Stone','concert','2024-10-12',1,29,'planned'),
(11,'Ghost Light','play','2024-11-02',5,22.5,'planned'),(12,'Folk Evening','concert','2024-04-27',7,14,'cancelled');
INSERT INTO buyers VALUES
(1,'Alice Penrose','Leeds',1984,'gold'),(2,'Tomas Ibbot','Leeds',1991,'basic'),(3,'Nadia Cole','Bristol',1976,'silver'),
(4,'Gareth Wynn','Cardiff',1969,'gold'),(5,'Ruth Adeyemi','Bristol',1999,'basic'),(6,'Oscar Finch','Norwich',1988,NULL),
(7,'Mei Lin Tan','Cardiff',1995,'silver'),(8,'Peter Holroyd','Leeds',1958,'gold'),(9,'Sofia Bram','York',2001,'basic'),
(10,'Dylan Rees','Cardiff',NULL,'basic'),(11,'Hugh Lassiter','Norwich',1973,NULL);
INSERT INTO tickets VALUES
(1,1,1,'stalls',38,'2024-01-05','web',NULL),(2,1,2,'balcony',27.5,'2024-01-19','desk',NULL),(3,1,8,'stalls',36.1,'2024-01-08','phone',NULL),
(4,2,1,'stalls',25.5,'2024-01-22','web',NULL),(5,2,8,'circle',21,'2024-02-01','phone','2024-02-20'),(6,3,4,'standing',39,'2024-03-12','web',NULL),
(7,3,7,'standing',41,'2024-05-30','web',NULL),(8,3,10,'stand',52.5,'2024-06-14','desk',NULL),(9,4,3,'ringside',110,'2024-02-02','web',NULL),
(10,4,5,'balcony',48,'2024-03-01','web',NULL),(11,5,3,'stalls',19.5,'2024-03-03','web','2024-03-28'),(12,5,5,'stalls',18,'2024-03-15','desk','2024-03-29'),
(13,6,1,'circle',24.5,'2024-04-11','web',NULL),(14,6,2,'stalls',28,'2024-04-30','web',NULL),(15,7,6,'standing',66,'2024-05-02','web',NULL),
(16,7,9,'standing',71,'2024-07-01','web','2024-07-10'),(17,7,4,'stand',89,'2024-06-18','phone',NULL),(18,8,3,'stand',47.5,'2024-08-01','web',NULL),
(19,9,7,'stalls',16.5,'2024-08-21','desk',NULL),(20,9,4,'stalls',14.4,'2024-08-12','web',NULL),(21,10,8,'stalls',33,'2024-09-02','phone',NULL),
(22,12,10,'stalls',13,'2024-04-02','web','2024-04-20'),(23,10,1,'balcony',23.2,'2024-09-17','web',NULL);
