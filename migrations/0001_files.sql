CREATE TABLE `files` (
	`project` text NOT NULL,
	`sha256` text NOT NULL,
	`bytes` integer NOT NULL,
	`body` blob NOT NULL,
	`used_at` integer NOT NULL,
	PRIMARY KEY(`project`, `sha256`),
	FOREIGN KEY (`project`) REFERENCES `projects`(`project`) ON UPDATE no action ON DELETE no action
);
