-- Athletes, clubs, events and results at a series of athletics meets.
CREATE TABLE club (id INTEGER PRIMARY KEY, name TEXT, city TEXT, founded INTEGER);
CREATE TABLE athlete (id INTEGER PRIMARY KEY, name TEXT, gender TEXT, birth_year INTEGER, height INTEGER, club_id INTEGER REFERENCES club(id));
CREATE TABLE meet (id INTEGER PRIMARY KEY, name TEXT, city TEXT, date TEXT, indoor TEXT);
CREATE TABLE event (id INTEGER PRIMARY KEY, meet_id INTEGER REFERENCES meet(id), discipline TEXT, category TEXT, prize INTEGER);
CREATE TABLE result (id INTEGER PRIMARY KEY, event_id INTEGER REFERENCES event(id), athlete_id INTEGER REFERENCES athlete(id), place INTEGER, mark REAL, points INTEGER);
INSERT INTO club VALUES
(1,'Redstone Harriers','Redstone',1911),(2,'Lakeside AC','Varmo',1954),(3,'Torrent Runners','Redstone',1988),(4,'Eagle Track','Ostby',1937),(5,'City Striders','Varmo',2002),(6,'Meridian TF','Calder',1969),(7,'Old Mill AC','Ostby',1923),(8,'Pace Collective','Calder',2015);
INSERT INTO athlete VALUES
(1,'Joel Maddern','M',1998,183,1),(2,'Ayla Strand','F',2000,171,1),(3,'Bram Teller','M',1995,191,2),(4,'Zuri Mwale','F',1997,168,2),(5,'Kai Denholm','M',2002,178,3),(6,'Freya Lind','F',1993,176,4),(7,'Rico Santelli','M',1999,186,4),(8,'Hope Adjei','F',2001,165,5),(9,'Niall Corry','M',1996,174,6),(10,'Marta Zeman','F',1994,180,6),(11,'Luca Berg','M',2003,189,7),(12,'Elif Oral','F',1999,173,NULL),(13,'Owen Sprake','M',1992,195,2),(14,'Tess Abara','F',2004,NULL,3),(15,'Ulf Garmo','M',1990,182,4);
INSERT INTO meet VALUES
(1,'Winter Cup','Varmo','2022-02-05','yes'),(2,'Spring Open','Redstone','2022-04-30','no'),(3,'Lake Games','Varmo','2022-06-18','no'),(4,'Calder Classic','Calder','2022-08-13','no'),(5,'Night of Miles','Ostby','2022-09-10','no'),(6,'Winter Cup','Varmo','2023-02-04','yes'),(7,'Indoor Final','Ostby','2023-03-11','yes'),(8,'Spring Open','Redstone','2023-04-29','no');
INSERT INTO event VALUES
(1,1,'60 m','sprint',200),(2,1,'High Jump','jump',180),(3,2,'100 m','sprint',250),(4,2,'Shot Put','throw',150),(5,3,'Long Jump','jump',300),(6,3,'1500 m','distance',320),(7,4,'100 m','sprint',500),(8,4,'Javelin','throw',400),(9,5,'1500 m','distance',600),(10,6,'60 m','sprint',220),(11,6,'High Jump','jump',NULL),(12,7,'Shot Put','throw',350),(13,7,'60 m','sprint',450),(14,8,'Long Jump','jump',275);
INSERT INTO result VALUES
(1,1,1,1,6.71,10),(2,1,5,2,6.84,8),(3,1,9,3,6.97,6),(4,2,6,1,1.88,10),(5,2,10,2,1.83,8),(6,2,12,3,1.76,6),(7,3,2,1,11.52,10),(8,3,4,2,11.69,8),(9,3,8,3,11.9,6),(10,4,13,1,18.44,10),(11,4,3,2,17.25,8),(12,5,7,1,7.62,10),(13,5,11,2,7.41,8),(14,5,1,3,7.18,6),(15,6,9,1,228.4,10),(16,6,5,2,231.9,8),(17,7,2,2,11.44,8),(18,7,8,1,11.38,10),(19,7,12,NULL,NULL,0),(20,8,3,1,71.3,10),(21,8,13,2,64.85,8),(22,9,9,2,226.1,8),(23,9,7,3,240.7,6),(24,9,5,1,224.95,10),(25,10,5,1,6.68,10),(26,11,10,1,1.91,10),(27,11,6,2,1.85,8),(28,12,13,1,18.9,10),(29,13,1,1,6.65,10),(30,14,11,1,7.55,10);
