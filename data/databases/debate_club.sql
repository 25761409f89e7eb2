-- A university debate club: members, motions, debates held and the speeches scored in them.
CREATE TABLE member (
  id INTEGER PRIMARY KEY,
  name TEXT,
  faculty TEXT,
  age INTEGER,
  role TEXT
);
CREATE TABLE motion (
  id INTEGER PRIMARY KEY,
  title TEXT,
  topic TEXT,
  proposer_id INTEGER,
  FOREIGN KEY (proposer_id) REFERENCES member(id)
);
CREATE TABLE debate (
  id INTEGER PRIMARY KEY,
  motion_id INTEGER,
  chair_id INTEGER,
  date TEXT,
  audience INTEGER,
  votes_for INTEGER,
  votes_against INTEGER,
  FOREIGN KEY (motion_id) REFERENCES motion(id),
  FOREIGN KEY (chair_id) REFERENCES member(id)
);
CREATE TABLE speech (
  id INTEGER PRIMARY KEY,
  debate_id INTEGER,
  member_id INTEGER,
  side TEXT,
  score REAL,
  seconds INTEGER,
  FOREIGN KEY (debate_id) REFERENCES debate(id),
  FOREIGN KEY (member_id) REFERENCES member(id)
);
INSERT INTO member VALUES
(1,'Helena Voss','Law',23,'president'),
(2,'Akin Balogun','Politics',21,'treasurer'),
(3,'Tess Rowley','Law',20,'member'),
(4,'Yorick Blane','Physics',24,'member'),
(5,'Mei Lan Chu','History',22,'secretary'),
(6,'Gareth Pugh','Politics',19,'member'),
(7,'Sofia Brandt','Medicine',25,'member'),
(8,'Dylan Furze','History',18,'novice'),
(9,'Amara Nwosu','Law',26,'coach'),
(10,'Kit Selwyn','Physics',19,'novice'),
(11,'Rania Haddad','Medicine',NULL,'member');
INSERT INTO motion VALUES
(1,'Voting should be compulsory','politics',2),
(2,'Zoos do more harm than good','environment',3),
(3,'Cars should leave the city','environment',5),
(4,'Exams should be abolished','education',6),
(5,'Art needs no public money','culture',1),
(6,'Mars is worth the cost','science',4),
(7,'The second chamber must go','politics',9),
(8,'Homework is useless','education',NULL),
(9,'Museums should return loot','culture',5);
INSERT INTO debate VALUES
(1,1,1,'2023-10-05',84,41,36),
(2,3,5,'2023-10-19',57,33,20),
(3,6,1,'2023-11-02',112,39,68),
(4,4,9,'2023-11-16',143,97,40),
(5,7,2,'2023-11-30',65,22,37),
(6,2,5,'2024-01-18',78,45,29),
(7,9,1,'2024-02-01',96,61,28),
(8,5,9,'2024-02-15',49,14,32),
(9,1,2,'2024-02-29',120,52,63),
(10,4,1,'2024-03-14',NULL,NULL,NULL);
INSERT INTO speech VALUES
(1,1,2,'for',76.5,410),
(2,1,3,'against',72,395),
(3,1,4,'against',68.5,362),
(4,2,6,'for',70,378),
(5,2,7,'against',74.5,421),
(6,3,4,'for',79,433),
(7,3,9,'against',88.5,447),
(8,3,8,'for',59,288),
(9,4,6,'for',75.5,402),
(10,4,3,'against',80.5,415),
(11,4,10,'for',61.5,301),
(12,5,9,'for',86,450),
(13,5,1,'against',90,440),
(14,6,3,'for',82.5,419),
(15,6,2,'against',77.5,388),
(16,7,5,'for',81,426),
(17,7,4,'against',71.5,350),
(18,7,8,'against',63,317),
(19,8,1,'for',85.5,437),
(20,8,7,'against',78,409),
(21,9,2,'for',73.5,384),
(22,9,6,'against',69,371),
(23,9,3,'against',84,428),
(24,10,10,'for',NULL,322);
