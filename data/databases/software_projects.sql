-- Software projects of a small firm with developers, assignments, releases and issue tickets.
CREATE TABLE developers (
  developer_id INTEGER PRIMARY KEY,
  full_name TEXT NOT NULL,
  seniority TEXT,
  country TEXT,
  salary INTEGER,
  hired_on TEXT,
  manager_id INTEGER REFERENCES developers(developer_id)
);
CREATE TABLE projects (
  project_id INTEGER PRIMARY KEY,
  project_name TEXT NOT NULL,
  main_language TEXT,
  licence TEXT,
  budget REAL,
  lead_id INTEGER REFERENCES developers(developer_id)
);
CREATE TABLE assignments (
  developer_id INTEGER REFERENCES developers(developer_id),
  project_id INTEGER REFERENCES projects(project_id),
  hours_per_week INTEGER,
  PRIMARY KEY (developer_id, project_id)
);
CREATE TABLE releases (
  release_id INTEGER PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES projects(project_id),
  version TEXT,
  released_on TEXT,
  downloads INTEGER
);
CREATE TABLE tickets (
  ticket_id INTEGER PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES projects(project_id),
  reporter_id INTEGER REFERENCES developers(developer_id),
  assignee_id INTEGER REFERENCES developers(developer_id),
  kind TEXT,
  priority TEXT,
  opened_on TEXT,
  closed_on TEXT
);
INSERT INTO developers VALUES
(1,'Agata Wolny','principal','Poland',98000,'2011-03-01',NULL),
(2,'Ben Truscott','senior','UK',81500,'2014-09-15',1),
(3,'Chiara Lodi','senior','Italy',76000,'2015-05-04',1),
(4,'Dmitri Salo','mid','Finland',63200,'2018-01-22',2),
(5,'Esme Farrant','mid','UK',60400,'2018-11-12',2),
(6,'Filip Kania','junior','Poland',41000,'2021-07-05',3),
(7,'Greta Aalto','senior','Finland',79300,'2016-02-29',1),
(8,'Hamish Orr','junior','UK',38700,'2022-08-01',5),
(9,'Ilaria Conti','mid','Italy',58900,'2019-10-07',3),
(10,'Jonas Virta','junior','Finland',42600,'2023-01-16',7),
(11,'Kasia Lech','principal','Poland',101500,'2009-06-10',NULL);
INSERT INTO projects VALUES
(1,'Lantern','Python','MIT',120000.0,2),
(2,'Quartz','Rust','Apache',210000.0,7),
(3,'Tally','Java','commercial',340500.0,11),
(4,'Mosaic','TypeScript','MIT',87500.0,3),
(5,'Ferret','Python','GPL',42000.0,9),
(6,'Outpost','Java','commercial',265000.0,1),
(7,'Pebble','Rust','MIT',NULL,4),
(8,'Atlas Kit','TypeScript','commercial',153000.0,NULL);
INSERT INTO assignments VALUES
(1,6,20),(2,1,25),(2,6,10),(3,4,30),(4,7,12),(4,2,22),(5,1,35),(6,4,18),(6,5,16),
(7,2,32),(8,1,38),(9,5,24),(9,4,8),(10,2,36),(11,3,28),(1,3,15),(5,3,5),(7,7,6);
INSERT INTO releases VALUES
(1,1,'1.0','2021-04-12',3180),(2,1,'1.1','2021-10-03',5420),(3,1,'2.0','2022-09-20',11750),
(4,2,'0.9','2022-02-14',860),(5,2,'1.0','2023-01-30',7340),(6,3,'5.2','2021-06-18',410),
(7,3,'5.3','2022-06-22',455),(8,4,'0.4','2022-11-08',1930),(9,4,'0.5','2023-03-27',2605),
(10,5,'1.0','2020-12-01',690),(11,6,'2.7','2022-05-05',225),(12,6,'3.0','2023-04-19',310),
(13,7,'0.1','2023-05-31',94);
INSERT INTO tickets VALUES
(1,1,5,8,'bug','high','2023-01-04','2023-01-09'),
(2,1,2,5,'feature','low','2023-01-11',NULL),
(3,2,7,10,'bug','medium','2023-01-18','2023-02-02'),
(4,2,4,7,'bug','high','2023-02-06','2023-02-07'),
(5,3,11,1,'task','medium','2023-02-13','2023-03-20'),
(6,3,5,11,'bug','high','2023-02-21','2023-02-28'),
(7,4,3,6,'feature','medium','2023-03-01','2023-04-11'),
(8,4,9,3,'bug','low','2023-03-08',NULL),
(9,5,6,9,'task','low','2023-03-15','2023-05-02'),
(10,6,1,2,'feature','high','2023-03-22','2023-06-14'),
(11,1,8,8,'bug','medium','2023-04-03','2023-04-05'),
(12,2,10,4,'feature','medium','2023-04-12',NULL),
(13,4,6,9,'bug','high','2023-04-24','2023-04-30'),
(14,6,2,NULL,'task','low','2023-05-10',NULL),
(15,7,7,4,'bug','medium','2023-06-05','2023-06-21'),
(16,1,5,2,'task','medium','2023-06-12',NULL);
