-- A nursing home keeps its residents, rooms, medication and family visits.
CREATE TABLE rooms (
  room_number INTEGER PRIMARY KEY,
  floor INTEGER,
  room_kind TEXT,
  monthly_rate REAL
);
CREATE TABLE residents (
  resident_id INTEGER PRIMARY KEY,
  resident_name TEXT NOT NULL,
  gender TEXT,
  birth_year INTEGER,
  moved_in TEXT,
  care_level INTEGER,
  room_number INTEGER,
  FOREIGN KEY (room_number) REFERENCES rooms(room_number)
);
CREATE TABLE medications (
  medication_id INTEGER PRIMARY KEY,
  medication_name TEXT,
  form TEXT,
  pack_price REAL
);
CREATE TABLE prescriptions (
  prescription_id INTEGER PRIMARY KEY,
  resident_id INTEGER NOT NULL,
  medication_id INTEGER NOT NULL,
  daily_dose_mg REAL,
  started_on TEXT,
  FOREIGN KEY (resident_id) REFERENCES residents(resident_id),
  FOREIGN KEY (medication_id) REFERENCES medications(medication_id)
);
CREATE TABLE visits (
  visit_id INTEGER PRIMARY KEY,
  resident_id INTEGER NOT NULL,
  visitor_name TEXT,
  relation TEXT,
  visit_date TEXT,
  minutes INTEGER,
  FOREIGN KEY (resident_id) REFERENCES residents(resident_id)
);
INSERT INTO rooms VALUES
(101,1,'single',2850.0),
(102,1,'double',2190.0),
(103,1,'single',2900.0),
(201,2,'single',3050.0),
(202,2,'double',2275.0),
(203,2,'suite',4100.0),
(301,3,'suite',4350.0),
(302,3,'double',2310.0),
(303,3,'single',3120.0),
(304,3,'single',NULL);
INSERT INTO residents VALUES
(1,'Agnes Thorpe','female',1936,'2019-02-14',3,101),
(2,'Bernard Cole','male',1941,'2021-07-01',2,102),
(3,'Cyril Hobbs','male',1933,'2018-10-20',4,102),
(4,'Doreen Fitch','female',1944,'2022-03-11',1,103),
(5,'Elsa Brun','female',1929,'2016-05-30',5,201),
(6,'Frank Mulley','male',1938,'2020-09-08',3,202),
(7,'Gilda Amato','female',1947,'2023-01-19',2,202),
(8,'Harold Yates','male',1931,'2017-12-04',4,203),
(9,'Ivy Lockett','female',1940,'2021-04-26',3,301),
(10,'Joseph Kemp','male',1943,'2022-11-15',1,302),
(11,'Kathleen Roe','female',1935,'2019-08-22',5,302),
(12,'Lionel Marsh','male',1950,'2023-06-06',2,303),
(13,'Mabel Dunne','female',1927,'2015-03-17',5,NULL);
INSERT INTO medications VALUES
(1,'Cardilol','tablet',14.2),
(2,'Memorex B','tablet',48.9),
(3,'Glucinase','injection',33.5),
(4,'Dolorin','drops',9.75),
(5,'Somnival','drops',12.6),
(6,'Ostevit','tablet',7.4),
(7,'Breathex','inhaler',27.3),
(8,'Dermasalve','cream',5.95),
(9,'Thyrona','tablet',11.1);
INSERT INTO prescriptions VALUES
(1,1,1,50.0,'2019-03-01'),
(2,1,6,20.0,'2020-01-15'),
(3,2,3,12.5,'2021-07-10'),
(4,3,2,10.0,'2018-11-05'),
(5,3,5,7.5,'2019-04-18'),
(6,5,1,75.0,'2016-06-12'),
(7,5,2,15.0,'2018-02-09'),
(8,5,4,300.0,'2022-10-03'),
(9,6,7,0.4,'2020-09-15'),
(10,7,9,0.1,'2023-01-25'),
(11,8,1,100.0,'2018-01-08'),
(12,8,4,450.0,'2021-05-27'),
(13,9,6,25.0,'2021-05-02'),
(14,11,2,20.0,'2019-09-09'),
(15,11,3,18.0,'2020-12-21'),
(16,11,5,5.0,NULL),
(17,12,7,0.2,'2023-06-14'),
(18,13,4,500.0,'2016-08-30'),
(19,13,6,30.0,'2015-04-01');
INSERT INTO visits VALUES
(1,1,'Paul Thorpe','son','2024-01-06',75),
(2,1,'Lucy Thorpe','grandchild','2024-01-20',40),
(3,2,'Nora Cole','wife','2024-01-08',120),
(4,2,'Nora Cole','wife','2024-01-15',110),
(5,4,'Gail Fitch','daughter','2024-01-21',60),
(6,5,'Marc Brun','son','2024-01-28',35),
(7,6,'Ted Sully','friend','2024-02-02',50),
(8,7,'Rita Amato','daughter','2024-02-04',90),
(9,7,'Carlo Amato','son','2024-02-11',65),
(10,8,'Jean Yates','wife','2024-02-12',140),
(11,9,'Amy Lockett','grandchild','2024-02-17',45),
(12,10,'Sue Kemp','daughter','2024-02-24',80),
(13,2,'Nora Cole','wife','2024-02-26',105),
(14,12,'Bill Orr','friend','2024-03-02',NULL),
(15,8,'Jean Yates','wife','2024-03-04',130),
(16,1,'Paul Thorpe','son','2024-03-09',70),
(17,10,'Ron Pell','friend','2024-03-10',25);
