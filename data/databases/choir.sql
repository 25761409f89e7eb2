-- A community choir: its singers, the pieces it knows, its concerts and the solos sung.
CREATE TABLE singer (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  voice TEXT,
  age INTEGER,
  joined INTEGER,
  mentor_id INTEGER,
  FOREIGN KEY (mentor_id) REFERENCES singer(id)
);
CREATE TABLE piece (
  id INTEGER PRIMARY KEY,
  title TEXT NOT NULL,
  composer TEXT,
  language TEXT,
  minutes REAL
);
CREATE TABLE concert (
  id INTEGER PRIMARY KEY,
  venue TEXT,
  city TEXT,
  date TEXT,
  audience INTEGER
);
CREATE TABLE solo (
  id INTEGER PRIMARY KEY,
  singer_id INTEGER NOT NULL,
  piece_id INTEGER NOT NULL,
  concert_id INTEGER NOT NULL,
  rating INTEGER,
  FOREIGN KEY (singer_id) REFERENCES singer(id),
  FOREIGN KEY (piece_id) REFERENCES piece(id),
  FOREIGN KEY (concert_id) REFERENCES concert(id)
);
INSERT INTO singer VALUES
(1,'Orla Kemp','soprano',52,2004,NULL),
(2,'Tobias Lund','bass',61,1999,NULL),
(3,'Mina Farrow','alto',34,2015,1),
(4,'Ivo Castell','tenor',29,2018,2),
(5,'Greta Nowell','soprano',23,2021,1),
(6,'Samir Doyle','bass',45,2010,2),
(7,'Hanne Birk','alto',67,2001,NULL),
(8,'Leo Marsh','tenor',38,2013,2),
(9,'Paula Quist','soprano',41,2012,7),
(10,'Dev Anand Roy','tenor',26,2022,8),
(11,'Ruth Ellery','alto',NULL,2019,7),
(12,'Caspar Holm','bass',19,2023,6),
(13,'Ines Varga','soprano',31,2020,9);
INSERT INTO piece VALUES
(1,'Winter Psalm','A. Rennick','Latin',6.5),
(2,'The Ferry Song','C. Moyle','English',3.2),
(3,'Abendlicht','H. Strobel','German',4.8),
(4,'Missa Brevis in D','P. Orsini','Latin',17.4),
(5,'Three Hill Carols','C. Moyle','English',8.1),
(6,'Ave Stella','A. Rennick','Latin',5.3),
(7,'Nachtwache','H. Strobel','German',7.0),
(8,'Rain on Slate','E. Dunbar','English',2.9),
(9,'Gaudete Novum','P. Orsini','Latin',4.1),
(10,'Harvest Round','E. Dunbar','English',NULL);
INSERT INTO concert VALUES
(1,'St Bride Church','Westerly','2022-03-19',180),
(2,'Town Hall','Westerly','2022-06-11',310),
(3,'Corn Exchange','Benham','2022-12-17',425),
(4,'St Bride Church','Westerly','2023-04-01',205),
(5,'Abbey Garden','Oxley','2023-07-08',540),
(6,'Corn Exchange','Benham','2023-12-16',468),
(7,'Guild Chapel','Oxley','2024-03-23',96),
(8,'Town Hall','Westerly','2024-06-15',NULL);
INSERT INTO solo VALUES
(1,1,1,1,9),
(2,2,3,1,7),
(3,3,2,1,6),
(4,1,6,2,8),
(5,4,2,2,5),
(6,8,8,2,7),
(7,5,5,3,8),
(8,7,4,3,9),
(9,2,4,3,8),
(10,9,9,3,6),
(11,1,4,4,10),
(12,6,7,4,7),
(13,3,3,5,8),
(14,5,8,5,NULL),
(15,10,2,5,4),
(16,9,6,6,9),
(17,4,5,6,7),
(18,13,9,6,6),
(19,6,1,7,5),
(20,5,6,7,9),
(21,8,7,7,8);
