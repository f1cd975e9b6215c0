CREATE TABLE `file_bodies` (
	`project` text NOT NULL,
	`sha256` text NOT NULL,
	`body` blob NOT NULL,
	PRIMARY KEY(`project`, `sha256`),
	FOREIGN KEY (`project`) REFERENCES `projects`(`project`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
INSERT INTO `file_bodies` (`project`, `sha256`, `body`) SELECT `project`, `sha256`, `body` FROM `files`;
--> statement-breakpoint
ALTER TABLE `files` DROP COLUMN `body`;
