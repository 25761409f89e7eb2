-- A kindergarten with its groups, teachers, children, activities and who took part in them.
CREATE TABLE teachers (
  teacher_id INTEGER PRIMARY KEY,
  teacher_name TEXT NOT NULL,
  birth_year INTEGER,
  qualification TEXT,
  weekly_hours REAL
);
CREATE TABLE playgroups (
  playgroup_id INTEGER PRIMARY KEY,
  group_name TEXT NOT NULL,
  room TEXT,
  max_children INTEGER,
  lead_teacher_id INTEGER REFERENCES teachers(teacher_id),
  assistant_id INTEGER REFERENCES teachers(teacher_id)
);
CREATE TABLE children (
  child_id INTEGER PRIMARY KEY,
  first_name TEXT,
  last_name TEXT,
  birth_date TEXT,
  district TEXT,
  allergy TEXT,
  playgroup_id INTEGER REFERENCES playgroups(playgroup_id)
);
CREATE TABLE activities (
  activity_id INTEGER PRIMARY KEY,
  activity_name TEXT,
  category TEXT,
  activity_date TEXT,
  cost_per_child REAL,
  teacher_id INTEGER REFERENCES teachers(teacher_id)
);
CREATE TABLE participations (
  activity_id INTEGER NOT NULL REFERENCES activities(activity_id),
  child_id INTEGER NOT NULL REFERENCES children(child_id),
  paid INTEGER,
  PRIMARY KEY (activity_id, child_id)
);
INSERT INTO teachers VALUES
(1,'Heidi Gruber',1971,'diploma',38.5),
(2,'Samuel Okoro',1988,'bachelor',40.0),
(3,'Lena Fuchs',1993,'diploma',30.0),
(4,'Monika Szabo',1965,'diploma',25.0),
(5,'Jan Peeters',1990,'bachelor',36.0),
(6,'Ebru Demir',1997,'assistant',20.0),
(7,'Olga Sirenko',1983,'bachelor',32.0),
(8,'Paul Winter',2001,'assistant',NULL),
(9,'Rosa Vidal',1979,'master',39.0);
INSERT INTO playgroups VALUES
(1,'Ladybirds','yellow room',18,1,6),
(2,'Hedgehogs','green room',20,2,3),
(3,'Otters','blue room',15,4,8),
(4,'Squirrels','green room',22,5,NULL),
(5,'Robins','red room',16,7,6),
(6,'Foxes','yellow room',21,9,3),
(7,'Moles','garden hut',12,2,8),
(8,'Owls','garden hut',10,NULL,NULL);
INSERT INTO children VALUES
(1,'Anna','Berger','2019-03-14','Nordend','nuts',1),
(2,'Ben','Amadi','2018-11-02','Westhof',NULL,2),
(3,'Carla','Moser','2020-01-25','Nordend',NULL,1),
(4,'David','Lutz','2019-07-30','Altstadt','milk',3),
(5,'Ella','Berger','2020-10-09','Nordend',NULL,3),
(6,'Felix','Rossi','2018-09-17','Altstadt',NULL,4),
(7,'Gina','Park','2019-05-21','Westhof','eggs',4),
(8,'Hugo','Stein','2020-06-11','Seeufer',NULL,5),
(9,'Ida','Nowak','2019-12-04','Seeufer','nuts',5),
(10,'Jakob','Kern','2018-10-28','Altstadt',NULL,6),
(11,'Kira','Popov','2020-03-03','Westhof',NULL,6),
(12,'Leon','Haas','2019-08-19','Nordend','milk',2),
(13,'Mila','Amadi','2020-12-15','Westhof',NULL,7),
(14,'Noah','Ebner','2019-02-08','Seeufer',NULL,7),
(15,'Olivia','Kern','2021-01-20','Altstadt',NULL,NULL),
(16,'Piet','Vogel','2018-12-31','Seeufer','nuts',2);
INSERT INTO activities VALUES
(1,'zoo visit','trip','2023-05-11',9.5,1),
(2,'clay workshop','craft','2023-05-23',4.0,4),
(3,'forest walk','trip','2023-06-06',0.0,2),
(4,'sports day','sport','2023-06-20',2.5,5),
(5,'puppet theatre','culture','2023-09-14',6.0,9),
(6,'lantern making','craft','2023-11-02',3.0,7),
(7,'swimming taster','sport','2023-11-16',7.5,2),
(8,'choir morning','culture','2024-01-18',NULL,9),
(9,'farm visit','trip','2024-04-25',8.0,1);
INSERT INTO participations VALUES
(1,1,1),(1,3,1),(1,6,0),(1,10,1),
(2,4,1),(2,5,1),(2,9,1),
(3,2,1),(3,12,1),(3,14,1),(3,16,1),
(4,6,1),(4,7,0),(4,2,1),
(5,10,1),(5,11,0),(5,1,1),
(6,8,1),(6,9,1),
(7,2,0),(7,13,1),(7,16,1),
(8,11,NULL),(8,8,NULL);
