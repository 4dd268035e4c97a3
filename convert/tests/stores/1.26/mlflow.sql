BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('bd07f7e963c5');
CREATE TABLE experiments (
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	artifact_location VARCHAR(256), 
	lifecycle_stage VARCHAR(32), 
	CONSTRAINT experiment_pk PRIMARY KEY (experiment_id), 
	CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	UNIQUE (name)
);
INSERT INTO "experiments" VALUES(0,'Default','./mlruns/0','active');
INSERT INTO "experiments" VALUES(1,'taxi','file:///home/someone/taxi/artifacts','active');
CREATE TABLE "latest_metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT, 
	step BIGINT NOT NULL, 
	is_nan BOOLEAN NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT latest_metric_pk PRIMARY KEY ("key", run_uuid), 
	CHECK (is_nan IN (0, 1)), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "latest_metrics" VALUES('rmse',1.0,1795600555362,0,0,'a9ae2a1a4573417baa8b4b9c4bd50f23');
CREATE TABLE "metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	step BIGINT DEFAULT '0' NOT NULL, 
	is_nan BOOLEAN DEFAULT '0' NOT NULL, 
	CONSTRAINT metric_pk PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan), 
	CHECK (is_nan IN (0, 1)), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "metrics" VALUES('rmse',1.0,1795600555362,'a9ae2a1a4573417baa8b4b9c4bd50f23',0,0);
CREATE TABLE "model_versions" (
	name VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	creation_time BIGINT, 
	last_updated_time BIGINT, 
	description VARCHAR(5000), 
	user_id VARCHAR(256), 
	current_stage VARCHAR(20), 
	source VARCHAR(500), 
	run_id VARCHAR(32), 
	status VARCHAR(20), 
	status_message VARCHAR(500), 
	run_link VARCHAR(500), 
	CONSTRAINT model_version_pk PRIMARY KEY (name, version), 
	FOREIGN KEY(name) REFERENCES registered_models (name) ON UPDATE CASCADE
);
INSERT INTO "model_versions" VALUES('rides',1,1795600555348,1795600555348,NULL,NULL,'None','file:///home/someone/taxi/artifacts/7c2f05021ccd486fab3e0ccc6c980881/artifacts/model','7c2f05021ccd486fab3e0ccc6c980881','READY',NULL,NULL);
CREATE TABLE registered_models (
	name VARCHAR(256) NOT NULL, 
	creation_time BIGINT, 
	last_updated_time BIGINT, 
	description VARCHAR(5000), 
	CONSTRAINT registered_model_pk PRIMARY KEY (name), 
	UNIQUE (name)
);
INSERT INTO "registered_models" VALUES('rides',1795600555342,1795600555348,NULL);
CREATE TABLE "runs" (
	run_uuid VARCHAR(32) NOT NULL, 
	name VARCHAR(250), 
	source_type VARCHAR(20), 
	source_name VARCHAR(500), 
	entry_point_name VARCHAR(50), 
	user_id VARCHAR(256), 
	status VARCHAR(9), 
	start_time BIGINT, 
	end_time BIGINT, 
	source_version VARCHAR(50), 
	lifecycle_stage VARCHAR(20), 
	artifact_uri VARCHAR(200), 
	experiment_id INTEGER, 
	CONSTRAINT run_pk PRIMARY KEY (run_uuid), 
	CONSTRAINT runs_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT source_type CHECK (source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')), 
	CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED')), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
INSERT INTO "runs" VALUES('7c2f05021ccd486fab3e0ccc6c980881','','UNKNOWN','','','root','FINISHED',1795600552984,1795600555353,'','active','file:///home/someone/taxi/artifacts/7c2f05021ccd486fab3e0ccc6c980881/artifacts',1);
INSERT INTO "runs" VALUES('a9ae2a1a4573417baa8b4b9c4bd50f23','','UNKNOWN','','','root','FINISHED',1795600555358,1795600555366,'','active','file:///home/someone/taxi/artifacts/a9ae2a1a4573417baa8b4b9c4bd50f23/artifacts',1);
CREATE TABLE "tags" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(5000), 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT tag_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "tags" VALUES('mlflow.user','root','7c2f05021ccd486fab3e0ccc6c980881');
INSERT INTO "tags" VALUES('mlflow.source.name','make.py','7c2f05021ccd486fab3e0ccc6c980881');
INSERT INTO "tags" VALUES('mlflow.source.type','LOCAL','7c2f05021ccd486fab3e0ccc6c980881');
INSERT INTO "tags" VALUES('mlflow.log-model.history','[{"run_id": "7c2f05021ccd486fab3e0ccc6c980881", "artifact_path": "model", "utc_time_created": "2026-11-25 09:55:53.000568", "flavors": {"python_function": {"model_path": "model.pkl", "loader_module": "mlflow.sklearn", "python_version": "3.9.18", "env": "conda.yaml"}, "sklearn": {"pickled_model": "model.pkl", "sklearn_version": "1.0.2", "serialization_format": "cloudpickle", "code": null}}, "model_uuid": "a881df75dc824267a3073338bbb142d9", "mlflow_version": "1.26.1"}]','7c2f05021ccd486fab3e0ccc6c980881');
INSERT INTO "tags" VALUES('mlflow.user','root','a9ae2a1a4573417baa8b4b9c4bd50f23');
INSERT INTO "tags" VALUES('mlflow.source.name','make.py','a9ae2a1a4573417baa8b4b9c4bd50f23');
INSERT INTO "tags" VALUES('mlflow.source.type','LOCAL','a9ae2a1a4573417baa8b4b9c4bd50f23');
CREATE INDEX index_metrics_run_uuid ON metrics (run_uuid);
CREATE INDEX index_latest_metrics_run_uuid ON latest_metrics (run_uuid);
CREATE INDEX index_tags_run_uuid ON tags (run_uuid);
COMMIT;
