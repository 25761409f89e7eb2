-- A shop for board and video games: publishers, games, customers, purchases and customer reviews.
CREATE TABLE publisher (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  country TEXT,
  year INTEGER
);
CREATE TABLE game (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  type TEXT,
  year INTEGER,
  min_age INTEGER,
  price REAL,
  stock INTEGER,
  publisher_id INTEGER REFERENCES publisher(id),
  base_game_id INTEGER REFERENCES game(id)
);
CREATE TABLE customer (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  age INTEGER,
  city TEXT,
  level TEXT
);
CREATE TABLE purchase (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customer(id),
  game_id INTEGER NOT NULL REFERENCES game(id),
  date TEXT,
  copies INTEGER,
  amount REAL
);
CREATE TABLE review (
  customer_id INTEGER REFERENCES customer(id),
  game_id INTEGER REFERENCES game(id),
  stars INTEGER,
  date TEXT,
  PRIMARY KEY (customer_id, game_id)
);
INSERT INTO publisher VALUES
(1,'Tin Badger','UK',1999),(2,'Drachenhaus','Germany',1984),(3,'Mossfell','Norway',2012),(4,'Ludovico','Italy',2006),(5,'Sable Pixel','Canada',2015),(6,'Kranich Spiele','Germany',1991),(7,'Bright Otter','UK',2020),(8,'Yonder Works','Canada',2009);
INSERT INTO game VALUES
(1,'Harbour Lords','board',2011,10,39.9,12,2,NULL),(2,'Harbour Lords: Storms','expansion',2013,10,21.5,5,2,1),(3,'Mushroom Census','card',2018,8,14.95,26,3,NULL),(4,'Veneto','board',2008,12,44,7,4,NULL),
(5,'Veneto: Guilds','expansion',2010,12,24.9,2,4,4),(6,'Neon Courier','video',2021,16,54.99,18,5,NULL),(7,'Neon Courier: Uptown','expansion',2022,16,19.99,30,5,6),(8,'Sheep Auction','card',2003,6,11.5,41,6,NULL),
(9,'Ice Shelf','board',2020,14,62,4,3,NULL),(10,'Pocket Knights','video',2016,7,29.9,9,8,NULL),(11,'The Long Ferry','board',2023,12,48.5,0,1,NULL),(12,'Grave Garden','card',2022,10,17.25,15,1,NULL),(13,'Old Signals','video',2024,12,34.5,22,NULL,NULL);
INSERT INTO customer VALUES
(1,'Ella Marsh',34,'Exeter','gold'),(2,'Ravi Menon',27,'Exeter','silver'),(3,'Julie Thorne',45,'Taunton','gold'),(4,'Ben Okoro',19,'Bath','basic'),(5,'Agnes Pohl',61,'Taunton','basic'),(6,'Callum Grey',23,'Bath','silver'),
(7,'Sian Pritchard',38,'Exeter','basic'),(8,'Victor Adel',52,'Truro','gold'),(9,'Zoe Hartnell',16,'Truro','basic'),(10,'Ned Fowler',NULL,'Bath',NULL),(11,'Mina Castle',29,'Taunton','silver');
INSERT INTO purchase VALUES
(1,1,1,'2023-01-14',1,39.9),(2,1,2,'2023-02-04',1,20.4),(3,2,6,'2023-02-11',1,54.99),(4,3,4,'2023-03-18',1,44),(5,3,8,'2023-03-18',3,32.8),(6,4,10,'2023-04-22',1,29.9),(7,5,8,'2023-05-06',2,23),(8,6,6,'2023-06-10',1,49.5),
(9,6,7,'2023-06-24',1,19.99),(10,8,9,'2023-07-15',1,62),(11,8,11,'2023-09-30',2,92.15),(12,7,3,'2023-10-07',1,14.95),(13,2,12,'2023-10-28',2,34.5),(14,1,11,'2023-11-18',1,48.5),(15,9,10,'2023-12-09',1,26.9),(16,3,5,'2023-12-16',1,24.9),
(17,8,4,'2023-12-16',1,41.8),(18,11,3,'2024-01-20',4,56.8),(19,4,7,'2024-02-17',1,17.99),(20,11,1,'2024-03-09',1,37.9),(21,1,12,'2024-03-30',1,NULL);
INSERT INTO review VALUES
(1,1,5,'2023-01-30'),(1,2,3,'2023-02-20'),(2,6,4,'2023-03-01'),(3,4,5,'2023-04-02'),(3,8,2,'2023-04-02'),(4,10,4,'2023-05-15'),(6,6,1,'2023-06-21'),(8,9,5,'2023-08-08'),(8,11,4,'2023-10-11'),(7,3,3,'2023-10-19'),(1,11,4,'2023-12-03'),(9,10,5,NULL),(11,3,5,'2024-02-02'),(8,4,3,'2024-01-04'),(2,12,2,'2023-11-12');
