-- Programmes, hosts, songs and plays of a local radio station.
CREATE TABLE Host (
  Host_ID INTEGER PRIMARY KEY,
  Host_Name TEXT NOT NULL,
  Age INTEGER,
  Home_Town TEXT,
  Hired_Year INTEGER
);
CREATE TABLE Programme (
  Programme_ID INTEGER PRIMARY KEY,
  Programme_Title TEXT NOT NULL,
  Weekday TEXT,
  Start_Hour INTEGER,
  Minutes INTEGER,
  Listeners INTEGER,
  Main_Host INTEGER REFERENCES Host(Host_ID),
  Stand_In INTEGER REFERENCES Host(Host_ID)
);
CREATE TABLE Artist (
  Artist_ID INTEGER PRIMARY KEY,
  Artist_Name TEXT NOT NULL,
  Country TEXT,
  Genre TEXT
);
CREATE TABLE Song (
  Song_ID INTEGER PRIMARY KEY,
  Song_Title TEXT NOT NULL,
  Artist_ID INTEGER REFERENCES Artist(Artist_ID),
  Released INTEGER,
  Seconds INTEGER
);
CREATE TABLE Play (
  Play_ID INTEGER PRIMARY KEY,
  Programme_ID INTEGER REFERENCES Programme(Programme_ID),
  Song_ID INTEGER REFERENCES Song(Song_ID),
  Play_Date TEXT,
  Requested INTEGER
);
INSERT INTO Host VALUES
(1,'Marnie Block',34,'Elsworth',2015),(2,'Dougal Frain',57,'Port Avon',1999),
(3,'Celia Vandam',42,'Elsworth',2010),(4,'Rory Stubbs',29,'Hatley',2020),
(5,'Ingrid Moss',48,'Port Avon',2007),(6,'Jude Calloway',38,'Hatley',2017),
(7,'Tariq Benson',25,'Elsworth',2023),(8,'Wanda Krol',63,NULL,1991);
INSERT INTO Programme VALUES
(1,'Early Bird','Monday',6,180,41200,1,4),
(2,'Coffee Break','Tuesday',10,120,28750,3,1),
(3,'Folk Corner','Wednesday',19,90,9400,2,NULL),
(4,'Night Train','Friday',22,150,15830,5,6),
(5,'Loud Hour','Friday',20,60,21600,4,7),
(6,'Sunday Strings','Sunday',9,120,12310,8,5),
(7,'Drive Home','Monday',16,150,53900,6,3),
(8,'New Names','Wednesday',21,60,7280,7,NULL),
(9,'Saturday Floor','Saturday',20,240,33450,1,6),
(10,'Sports Desk','Saturday',14,180,38900,NULL,2);
INSERT INTO Artist VALUES
(1,'Paper Foxes','UK','rock'),(2,'Lina Sorel','France','pop'),
(3,'The Quarrymaids','UK','folk'),(4,'Otis Brack','USA','blues'),
(5,'Nordlys Trio','Norway','jazz'),(6,'Vela','USA','pop'),
(7,'Iron Larder','UK','rock'),(8,'Mads Tveit','Norway','folk'),
(9,'Club Ampere','France','dance'),(10,'Silt','USA','rock'),
(11,'Hetty Marne','UK','pop');
INSERT INTO Song VALUES
(1,'Tin Roof',1,2016,214),(2,'Matchstick Sea',1,2019,247),(3,'Minuit Passe',2,2021,198),
(4,'Hill and Hollow',3,2008,305),(5,'Eleven Miles',4,1994,268),(6,'Snow Tempo',5,2012,412),
(7,'Glass Elevator',6,2022,183),(8,'Cold Store',7,1987,329),(9,'Fjell',8,2014,276),
(10,'Volt',9,2020,361),(11,'Mudline',10,2001,233),(12,'Sunday Shoes',11,2018,205),
(13,'Orbit Me',6,2023,176),(14,'Long Furrow',3,2011,288),(15,'Kettle Blues',4,NULL,254);
INSERT INTO Play VALUES
(1,1,12,'2024-02-05',0),(2,1,7,'2024-02-05',1),(3,1,1,'2024-02-12',0),(4,2,3,'2024-02-06',0),
(5,2,12,'2024-02-06',1),(6,2,13,'2024-02-13',0),(7,3,4,'2024-02-07',1),(8,3,9,'2024-02-07',0),
(9,3,14,'2024-02-14',0),(10,4,5,'2024-02-09',0),(11,4,6,'2024-02-09',1),(12,4,5,'2024-02-16',1),
(13,5,8,'2024-02-09',0),(14,5,11,'2024-02-09',1),(15,5,2,'2024-02-16',0),(16,6,6,'2024-02-11',0),
(17,7,7,'2024-02-05',0),(18,7,13,'2024-02-12',1),(19,7,1,'2024-02-12',0),(20,7,7,'2024-02-19',1),
(21,9,10,'2024-02-10',0),(22,9,3,'2024-02-10',1),(23,9,10,'2024-02-17',1),(24,8,13,'2024-02-14',0);
