-- An opera house with its composers, operas, singers, performances and roles sung.
CREATE TABLE Composer (
  Composer_ID INTEGER PRIMARY KEY,
  Full_Name TEXT,
  Nationality TEXT,
  Birth_Year INTEGER
);
CREATE TABLE Opera (
  Opera_ID INTEGER PRIMARY KEY,
  Title TEXT,
  Sung_Language TEXT,
  Act_Count INTEGER,
  Premiere_Year INTEGER,
  Composer_ID INTEGER REFERENCES Composer(Composer_ID)
);
CREATE TABLE Singer (
  Singer_ID INTEGER PRIMARY KEY,
  Full_Name TEXT,
  Voice TEXT,
  Nationality TEXT,
  Evening_Fee INTEGER
);
CREATE TABLE Performance (
  Performance_ID INTEGER PRIMARY KEY,
  Opera_ID INTEGER REFERENCES Opera(Opera_ID),
  Played_On TEXT,
  Conductor TEXT,
  Tickets_Sold INTEGER,
  Revenue REAL
);
CREATE TABLE Appearance (
  Performance_ID INTEGER REFERENCES Performance(Performance_ID),
  Singer_ID INTEGER REFERENCES Singer(Singer_ID),
  Character_Name TEXT,
  PRIMARY KEY (Performance_ID, Singer_ID)
);
INSERT INTO Composer VALUES
(1,'Gustavo Bellardi','Italian',1811),
(2,'Anton Reuss','German',1839),
(3,'Celeste Amory','French',1862),
(4,'Pyotr Zhilin','Russian',1844),
(5,'Edmund Garrow','British',1913),
(6,'Ottavia Rizzo','Italian',1798),
(7,'Klara Wendt','German',1971),
(8,'Luc Peyrol','French',NULL);
INSERT INTO Opera VALUES
(1,'La Torre','Italian',3,1851,1),
(2,'The Miller Bride','German',3,1874,2),
(3,'Isaure','French',5,1889,3),
(4,'The Frozen Bell','Russian',4,1881,4),
(5,'Tidemark','English',2,1949,5),
(6,'Il Notaio','Italian',2,1829,6),
(7,'Kassandra 3','German',1,2014,7),
(8,'Fiammetta','Italian',4,1863,1),
(9,'The Raven King','German',5,1868,2),
(10,'Winter Accounts','English',3,1961,5),
(11,'Le Phare','French',1,NULL,8);
INSERT INTO Singer VALUES
(1,'Elena Varga','soprano','Hungarian',9500),
(2,'Matteo Sordi','tenor','Italian',12000),
(3,'Brigitte Noll','mezzo','German',6800),
(4,'Alexei Gorin','bass','Russian',7400),
(5,'Rhys Maddock','baritone','British',5900),
(6,'Claire Duvent','soprano','French',8200),
(7,'Jonas Adler','tenor','German',7700),
(8,'Paola Restivo','mezzo','Italian',6100),
(9,'Imre Szalai','baritone','Hungarian',4850),
(10,'Nia Prosser','soprano','British',3600),
(11,'Viktor Lunin','bass','Russian',NULL),
(12,'Dario Conti','tenor','Italian',5300);
INSERT INTO Performance VALUES
(1,1,'2023-09-16','Helmut Sachs',1320,98400.0),
(2,1,'2023-09-20','Helmut Sachs',1185,84150.0),
(3,4,'2023-10-07','Irina Belova',1040,71900.0),
(4,6,'2023-10-28','Marco Tessi',890,48650.0),
(5,3,'2023-11-11','Irina Belova',1255,90320.0),
(6,5,'2023-12-02','Alan Whitcombe',615,33700.0),
(7,8,'2023-12-31','Marco Tessi',1400,152600.0),
(8,2,'2024-01-20','Helmut Sachs',980,66800.0),
(9,9,'2024-02-17','Helmut Sachs',1365,118900.0),
(10,7,'2024-03-09',NULL,420,18950.0),
(11,4,'2024-03-23','Irina Belova',1110,77350.0),
(12,8,'2024-04-13','Marco Tessi',1290,101250.0),
(13,10,'2024-05-18','Alan Whitcombe',NULL,NULL);
INSERT INTO Appearance VALUES
(1,1,'Bianca'),(1,2,'Ruggero'),(1,9,'The Count'),
(2,6,'Bianca'),(2,2,'Ruggero'),(2,9,'The Count'),
(3,4,'Old Bellfounder'),(3,1,'Marfa'),
(4,12,'Lelio'),(4,8,'Zita'),(4,5,'The Notary'),
(5,6,'Isaure'),(5,7,'Raoul'),
(6,10,'Mary'),(6,5,'Harbourmaster'),
(7,1,'Fiammetta'),(7,2,'Tancredi'),(7,8,'Nurse'),
(8,3,'Gerda'),(8,7,'Veit'),
(9,7,'Raven King'),(9,3,'Witch'),(9,4,'Chancellor'),
(10,3,'Kassandra'),
(11,4,'Old Bellfounder'),(11,10,'Marfa'),
(12,6,'Fiammetta'),(12,12,'Tancredi');
