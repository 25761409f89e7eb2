-- The case files of a private detective agency: detectives, clients, investigations, suspects and clues.
CREATE TABLE detective (
  id INTEGER PRIMARY KEY,
  name TEXT,
  rank TEXT,
  age INTEGER,
  boss_id INTEGER REFERENCES detective(id)
);
CREATE TABLE client (
  id INTEGER PRIMARY KEY,
  name TEXT,
  type TEXT,
  city TEXT
);
CREATE TABLE investigation (
  id INTEGER PRIMARY KEY,
  title TEXT,
  type TEXT,
  opened TEXT,
  closed TEXT,
  fee REAL,
  client_id INTEGER REFERENCES client(id),
  lead_id INTEGER REFERENCES detective(id)
);
CREATE TABLE suspect (
  id INTEGER PRIMARY KEY,
  name TEXT,
  age INTEGER,
  occupation TEXT,
  guilty TEXT,
  investigation_id INTEGER REFERENCES investigation(id)
);
CREATE TABLE clue (
  id INTEGER PRIMARY KEY,
  description TEXT,
  found TEXT,
  weight INTEGER,
  investigation_id INTEGER REFERENCES investigation(id),
  detective_id INTEGER REFERENCES detective(id)
);
INSERT INTO detective VALUES
(1,'Agatha Stern','chief',58,NULL),
(2,'Milo Cairns','senior',44,1),
(3,'Della Frost','senior',39,1),
(4,'Hob Tillman','junior',27,2),
(5,'Ines Corvo','junior',31,2),
(6,'Walt Greaves','senior',63,1),
(7,'Poppy Lund','trainee',22,3);
INSERT INTO client VALUES
(1,'Lady Brasher','private','Eastmere'),
(2,'Kestrel Insurance','company','Eastmere'),
(3,'Otto Wren','private','Galton'),
(4,'Marlow Bank','company','Galton'),
(5,'Pier Theatre','company','Sandby'),
(6,'Nina Ostrow','private','Sandby'),
(7,'Temple Auctions','company','Eastmere'),
(8,'Bert Fulham','private','Galton');
INSERT INTO investigation VALUES
(1,'The Brasher Pearls','theft','2019-02-03','2019-04-18',4200,1,2),
(2,'Warehouse Blaze','fraud','2019-06-11','2019-12-02',9750,2,1),
(3,'Missing Nephew','missing person','2020-01-20','2020-02-09',1850,3,3),
(4,'Vault Seven','theft','2020-08-14','2021-03-30',15600,4,1),
(5,'Phantom of the Pier','blackmail','2021-05-05','2021-06-21',2900,5,6),
(6,'The Late Husband','missing person','2021-10-27',NULL,3350,6,3),
(7,'False Rembler','fraud','2022-03-16','2022-09-08',8100,7,2),
(8,'Red Ledger','fraud','2022-11-01','2023-05-19',11900,4,6),
(9,'Stolen Score','theft','2023-04-12','2023-04-29',1400,5,4),
(10,'Night Letters','blackmail','2023-09-25',NULL,2250,1,5);
INSERT INTO suspect VALUES
(1,'Cyril Dace',36,'butler','no',1),
(2,'Monique Farr',29,'singer','yes',1),
(3,'Gil Brasher',48,'banker','no',1),
(4,'Harold Pym',55,'merchant','yes',2),
(5,'Rex Tolly',41,'clerk','yes',2),
(6,'Ida Snell',33,'clerk','yes',4),
(7,'Boris Lake',50,'locksmith','yes',4),
(8,'Theo Marl',62,'banker','no',4),
(9,'Vivian Cole',27,'actor','no',5),
(10,'Lenny Stubbs',45,'actor','yes',5),
(11,'Klara Ostrow',NULL,'nurse',NULL,6),
(12,'Hugo Vint',57,'painter','yes',7),
(13,'Edna Cripps',70,'dealer','no',7),
(14,'Saul Minter',38,'clerk','no',8),
(15,'Dora Quill',52,'banker','yes',8),
(16,'Pip Arnott',19,'musician','yes',9),
(17,'Jack Dace',24,'driver',NULL,10);
INSERT INTO clue VALUES
(1,'torn glove','2019-02-07',6,1,4),
(2,'pawn ticket','2019-03-22',9,1,2),
(3,'empty petrol can','2019-06-15',7,2,4),
(4,'second account book','2019-10-30',10,2,1),
(5,'train ticket','2020-01-25',5,3,3),
(6,'copied key','2020-09-02',9,4,5),
(7,'muddy boot print','2020-08-15',3,4,4),
(8,'night guard diary','2021-01-11',8,4,6),
(9,'typed note','2021-05-19',6,5,6),
(10,'greasepaint smear','2021-06-02',4,5,5),
(11,'wedding ring','2021-11-14',7,6,3),
(12,'fresh varnish','2022-04-20',8,7,2),
(13,'forged stamp','2022-07-06',9,7,5),
(14,'burnt page','2022-12-13',5,8,6),
(15,'bank transfer','2023-03-28',10,8,1),
(16,'bicycle clip','2023-04-17',2,9,4),
(17,'purple ink','2023-10-09',6,10,5),
(18,'hair pin','2023-10-30',NULL,10,2);
