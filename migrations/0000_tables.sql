CREATE TABLE `commits` (
	`project` text NOT NULL,
	`version` integer NOT NULL,
	`commit_id` text NOT NULL,
	`at` integer NOT NULL,
	`cause` text NOT NULL,
	`actor` text NOT NULL,
	`inputs` text NOT NULL,
	`events` text NOT NULL,
	PRIMARY KEY(`project`, `version`),
	FOREIGN KEY (`project`) REFERENCES `projects`(`project`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `credentials` (
	`project` text NOT NULL,
	`id` text NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`hash` text NOT NULL,
	`subject` text,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`used_at` integer,
	`used_for` text,
	PRIMARY KEY(`project`, `id`),
	FOREIGN KEY (`project`) REFERENCES `projects`(`project`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `credentials_hash` ON `credentials` (`hash`);--> statement-breakpoint
CREATE TABLE `entities` (
	`project` text NOT NULL,
	`kind` text NOT NULL,
	`id` text NOT NULL,
	`schema` integer NOT NULL,
	`body` text NOT NULL,
	PRIMARY KEY(`project`, `kind`, `id`)
);
--> statement-breakpoint
CREATE TABLE `idempotency_keys` (
	`project` text NOT NULL,
	`key` text NOT NULL,
	`request_hash` text NOT NULL,
	`answer` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`project`, `key`)
);
--> statement-breakpoint
CREATE INDEX `idempotency_keys_at` ON `idempotency_keys` (`at`);--> statement-breakpoint
CREATE TABLE `projects` (
	`project` text PRIMARY KEY NOT NULL,
	`version` integer NOT NULL,
	`wake_at` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `secrets` (
	`project` text NOT NULL,
	`name` text NOT NULL,
	`version` text NOT NULL,
	`key_id` text NOT NULL,
	`sealed` text NOT NULL,
	PRIMARY KEY(`project`, `name`)
);
