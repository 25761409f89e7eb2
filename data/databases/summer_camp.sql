-- A summer camp with cabins, campers, counsellors and the activities campers sign up for.
CREATE TABLE cabins (
  cabin_id INTEGER PRIMARY KEY,
  cabin_name TEXT NOT NULL,
  beds INTEGER,
  lakeside INTEGER
);
CREATE TABLE counsellors (
  counsellor_id INTEGER PRIMARY KEY,
  counsellor_name TEXT NOT NULL,
  age INTEGER,
  speciality TEXT,
  summers_worked INTEGER,
  cabin_id INTEGER REFERENCES cabins(cabin_id)
);
CREATE TABLE campers (
  camper_id INTEGER PRIMARY KEY,
  camper_name TEXT NOT NULL,
  birth_date TEXT,
  home_town TEXT,
  allergy TEXT,
  cabin_id INTEGER REFERENCES cabins(cabin_id)
);
CREATE TABLE activities (
  activity_id INTEGER PRIMARY KEY,
  activity_name TEXT NOT NULL,
  category TEXT,
  max_campers INTEGER,
  extra_fee REAL,
  counsellor_id INTEGER REFERENCES counsellors(counsellor_id)
);
CREATE TABLE signups (
  camper_id INTEGER REFERENCES campers(camper_id),
  activity_id INTEGER REFERENCES activities(activity_id),
  week_no INTEGER,
  rating INTEGER,
  PRIMARY KEY (camper_id, activity_id)
);
INSERT INTO cabins VALUES
(1,'Bear',10,0),(2,'Otter',8,1),(3,'Owl',12,0),(4,'Trout',6,1),
(5,'Moose',14,0),(6,'Loon',9,1),(7,'Fox',11,0),(8,'Heron',7,1);
INSERT INTO counsellors VALUES
(1,'Abby Lorne',22,'water',3,2),(2,'Brock Ames',27,'climbing',6,1),(3,'Casey Dupont',19,'crafts',1,3),
(4,'Dale Hurst',31,'nature',9,5),(5,'Erin Sodd',24,'music',4,4),(6,'Fritz Amann',20,'sport',2,6),
(7,'Gale Whitman',35,'water',12,NULL),(8,'Holly Trent',21,'crafts',0,7),(9,'Ike Nordby',29,'nature',7,1);
INSERT INTO campers VALUES
(1,'Milo Hart','2012-02-11','Ridgeton',NULL,1),(2,'Nina Sloan','2011-07-30','Ridgeton','nuts',2),
(3,'Otto Bream','2013-05-19','Fairlea',NULL,1),(4,'Pia Lang','2010-12-04','Cold Spring',NULL,2),
(5,'Quinn Avery','2012-09-23','Fairlea','pollen',3),(6,'Remy Coyle','2014-01-15','Ridgeton',NULL,4),
(7,'Sasha Ivers','2011-03-08','Cold Spring',NULL,5),(8,'Toby Wicks','2010-06-27','Elmira Falls','milk',5),
(9,'Ula Strom','2013-11-02','Elmira Falls',NULL,4),(10,'Vic Danner','2012-04-17','Ridgeton','pollen',6),
(11,'Wren Holloway','2011-10-10','Fairlea',NULL,6),(12,'Xena Porter','2014-08-21','Cold Spring','nuts',3),
(13,'Yann Kerrow','2010-05-06','Fairlea',NULL,1),(14,'Zelda Moon','2013-02-25',NULL,NULL,NULL);
INSERT INTO activities VALUES
(1,'Canoeing','water',12,0.0,1),(2,'Sailing','water',8,35.0,7),(3,'Rock Wall','sport',6,20.0,2),
(4,'Archery','sport',10,12.5,6),(5,'Pottery','arts',9,18.0,3),(6,'Weaving','arts',7,9.5,8),
(7,'Bird Walk','nature',15,0.0,4),(8,'Campfire Songs','arts',40,0.0,5),(9,'Night Hike','nature',16,5.0,9),
(10,'Volleyball','sport',14,0.0,NULL),(11,'Fishing','water',11,7.5,4);
INSERT INTO signups VALUES
(1,1,1,5),(1,3,2,4),(2,5,1,3),(2,8,1,5),(3,1,1,4),(3,9,3,5),(4,2,2,5),(4,6,2,2),
(5,7,1,4),(5,5,2,NULL),(6,1,3,3),(6,11,1,4),(7,3,1,5),(7,4,2,4),(8,4,1,3),(8,2,3,4),
(9,8,2,5),(9,5,3,4),(10,9,1,2),(10,3,3,5),(11,2,1,4),(11,6,3,3),(12,7,2,1),(12,8,1,4),
(13,3,3,4),(13,1,2,5),(13,4,3,NULL);
