-- A catering firm: customers, events, dishes on their menus and the staff who serve.
CREATE TABLE Customer (CustomerId INTEGER PRIMARY KEY, CustomerName TEXT, CustomerType TEXT, City TEXT);
CREATE TABLE Employee (EmployeeId INTEGER PRIMARY KEY, FirstName TEXT, LastName TEXT, JobTitle TEXT, HourlyWage REAL, HireYear INTEGER);
CREATE TABLE Dish (DishId INTEGER PRIMARY KEY, DishName TEXT, Course TEXT, IsVegan TEXT, Calories INTEGER, PortionPrice REAL);
CREATE TABLE Event (EventId INTEGER PRIMARY KEY, CustomerId INTEGER NOT NULL REFERENCES Customer(CustomerId), ManagerId INTEGER REFERENCES Employee(EmployeeId), Occasion TEXT, EventDate TEXT, GuestCount INTEGER, Budget REAL);
CREATE TABLE MenuItem (EventId INTEGER REFERENCES Event(EventId), DishId INTEGER REFERENCES Dish(DishId), Portions INTEGER, PRIMARY KEY (EventId, DishId));
CREATE TABLE Shift (ShiftId INTEGER PRIMARY KEY, EventId INTEGER NOT NULL REFERENCES Event(EventId), EmployeeId INTEGER NOT NULL REFERENCES Employee(EmployeeId), HoursWorked REAL);
INSERT INTO Customer VALUES
(1,'Brightwell Partners','company','Arden'),(2,'Rowe Family','private','Arden'),(3,'Tansley College','public','Moxley'),(4,'Ferris Steel','company','Moxley'),(5,'Lacey Family','private','Quorn'),(6,'Arden Town Council','public','Arden'),(7,'Pomeroy Gallery','company','Quorn'),(8,'Udall Family','private','Moxley'),(9,'Sable Records','company','Arden');
INSERT INTO Employee VALUES
(1,'Delphine','Roy','manager',24.5,2010),(2,'Craig','Munro','manager',23,2014),(3,'Suki','Tran','chef',21.75,2012),(4,'Otto','Bremer','chef',19.9,2017),(5,'Fay','Lister','waiter',13.2,2019),(6,'Nate','Coombe','waiter',12.8,2021),(7,'Ioana','Popa','waiter',13.6,2018),(8,'Hal','Dyson','barman',15.4,2016),(9,'Zara','Malik','waiter',12.3,2023),(10,'Gus','Petty','barman',14.1,2020);
INSERT INTO Dish VALUES
(1,'Tomato Tartlets','starter','yes',180,3.2),(2,'Smoked Trout','starter','no',240,5.9),(3,'Beet Salad','starter','yes',150,3.8),(4,'Roast Lamb','main','no',720,13.5),(5,'Mushroom Pie','main','yes',540,9.4),(6,'Chicken Saffron','main','no',610,11.2),(7,'Lentil Curry','main','yes',480,7.6),(8,'Lemon Cake','dessert','no',390,4.5),(9,'Fruit Skewers','dessert','yes',120,2.9),(10,'Chocolate Pots','dessert','no',455,4.95),(11,'Cheese Board','dessert','no',NULL,6.3);
INSERT INTO Event VALUES
(1,1,1,'conference','2022-03-10',140,4200),(2,2,2,'wedding','2022-05-21',85,5650),(3,3,1,'graduation','2022-07-08',310,6900),(4,4,2,'anniversary','2022-09-16',120,5100),(5,5,1,'wedding','2022-10-01',64,4375),(6,6,NULL,'reception','2022-11-25',95,2850),(7,7,2,'reception','2023-01-19',70,2300),(8,1,1,'conference','2023-03-09',165,4980),(9,8,2,'birthday','2023-04-15',38,1460),(10,3,1,'graduation','2023-07-07',335,7250),(11,9,2,'reception','2023-09-29',110,NULL);
INSERT INTO MenuItem VALUES
(1,1,140),(1,6,90),(1,7,50),(2,2,85),(2,4,60),(2,5,25),(2,8,85),(3,3,310),(3,6,220),(3,9,310),(4,2,115),(4,4,105),(4,11,100),(5,1,66),(5,4,52),(5,10,64),(6,1,190),(6,9,95),(7,3,72),(7,11,58),(8,6,118),(8,7,47),(8,8,160),(9,5,40),(9,10,42),(10,7,150);
INSERT INTO Shift VALUES
(1,1,3,8.5),(2,1,5,6),(3,1,7,6.5),(4,2,4,9),(5,2,5,7.5),(6,2,8,8),(7,3,3,11),(8,3,6,8.25),(9,3,7,9),(10,4,4,8.75),(11,4,8,7),(12,5,3,9.5),(13,5,6,7.25),(14,6,7,4.5),(15,6,10,5),(16,7,5,4),(17,7,10,4.75),(18,8,4,10),(19,8,6,6.75),(20,9,5,5.5),(21,10,3,12),(22,10,7,9.25);
