-- A builder's construction sites, the subcontractors hired on them and the safety inspections made.
CREATE TABLE Client (
  ClientId INTEGER PRIMARY KEY,
  ClientName TEXT NOT NULL,
  Sector TEXT
);
CREATE TABLE Site (
  SiteId INTEGER PRIMARY KEY,
  SiteName TEXT NOT NULL,
  ClientId INTEGER NOT NULL REFERENCES Client(ClientId),
  Town TEXT,
  StartDate TEXT,
  EndDate TEXT,
  Budget REAL
);
CREATE TABLE Subcontractor (
  SubcontractorId INTEGER PRIMARY KEY,
  CompanyName TEXT NOT NULL,
  Craft TEXT,
  Workers INTEGER,
  DayRate REAL
);
CREATE TABLE Assignment (
  SiteId INTEGER NOT NULL REFERENCES Site(SiteId),
  SubcontractorId INTEGER NOT NULL REFERENCES Subcontractor(SubcontractorId),
  DaysBooked INTEGER,
  PRIMARY KEY (SiteId, SubcontractorId)
);
CREATE TABLE Inspection (
  InspectionId INTEGER PRIMARY KEY,
  SiteId INTEGER NOT NULL REFERENCES Site(SiteId),
  InspectorName TEXT,
  InspectionDate TEXT,
  Outcome TEXT,
  DefectCount INTEGER
);
INSERT INTO Client VALUES
(1,'Borough of Halden','public'),
(2,'Crane and Whitby','commercial'),
(3,'Larkfield Homes','residential'),
(4,'St Anselm Trust','public'),
(5,'Nordholt Logistics','commercial'),
(6,'Penrose Family','residential'),
(7,'Vantage Hotels','commercial'),
(8,'Mere Housing','residential');
INSERT INTO Site VALUES
(1,'Halden Library',1,'Halden','2021-03-15','2022-11-30',4200000),
(2,'Quayside Offices',2,'Seaton','2022-01-10','2024-02-16',18750000),
(3,'Lark Meadow Phase 1',3,'Burley','2020-06-01','2021-12-17',7600000),
(4,'Lark Meadow Phase 2',3,'Burley','2022-02-07',NULL,9150000),
(5,'Anselm School Hall',4,'Halden','2023-04-24',NULL,2380000),
(6,'Depot North',5,'Corby Cross','2021-09-06','2022-08-12',11300000),
(7,'Penrose House',6,'Seaton','2023-08-14',NULL,640000),
(8,'Halden Footbridge',1,'Halden','2023-01-09','2023-10-27',1970000),
(9,'Hotel Meridian',7,'Seaton','2024-01-22',NULL,26400000),
(10,'Depot South',5,'Corby Cross','2023-11-13',NULL,12900000);
INSERT INTO Subcontractor VALUES
(1,'Brightwire','electrical',18,1450),
(2,'Ketley Plumbing','plumbing',11,1120),
(3,'Stone and Daughters','masonry',24,1690),
(4,'TopLine Roofing','roofing',9,1280),
(5,'Volt Partners','electrical',33,2100),
(6,'Marsden Steel','steelwork',41,3050),
(7,'Aqua Fit','plumbing',6,840),
(8,'Garrow Bricks','masonry',15,1330),
(9,'Skyhook Cranes','steelwork',7,2475),
(10,'Slate Brothers','roofing',5,NULL);
INSERT INTO Assignment VALUES
(1,1,42),(1,3,88),(1,4,25),
(2,5,130),(2,6,96),(2,2,71),(2,9,38),
(3,8,104),(3,2,60),(3,4,47),
(4,8,115),(4,7,52),(4,1,33),
(5,3,40),(5,1,19),
(6,6,77),(6,5,64),
(7,7,14),(7,8,27),
(8,6,58),(8,9,21),
(9,5,150),(9,6,122),(9,3,90),
(10,6,84);
INSERT INTO Inspection VALUES
(1,1,'R. Dale','2021-07-20','passed',2),
(2,1,'R. Dale','2022-05-11','passed',0),
(3,2,'V. Osei','2022-04-05','failed',9),
(4,2,'V. Osei','2022-05-17','passed',3),
(5,2,'H. Lamb','2023-06-29','conditional',5),
(6,3,'H. Lamb','2020-10-13','conditional',6),
(7,3,'R. Dale','2021-08-04','passed',1),
(8,4,'V. Osei','2022-09-21','failed',12),
(9,4,'H. Lamb','2023-03-15','conditional',4),
(10,5,'R. Dale','2023-09-26','passed',1),
(11,6,'V. Osei','2021-12-01','passed',3),
(12,6,'H. Lamb','2022-06-08','failed',8),
(13,7,'R. Dale','2023-11-22','conditional',7),
(14,9,'V. Osei','2024-03-12','passed',NULL),
(15,9,'H. Lamb','2024-05-30','failed',11);
