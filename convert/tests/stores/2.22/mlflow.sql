BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0584bdc529eb');
CREATE TABLE experiments (
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	artifact_location VARCHAR(256), 
	lifecycle_stage VARCHAR(32), creation_time BIGINT, last_update_time BIGINT, 
	CONSTRAINT experiment_pk PRIMARY KEY (experiment_id), 
	CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	UNIQUE (name)
);
INSERT INTO "experiments" VALUES(0,'Default','/home/someone/taxi/mlruns/0','active',1795600597217,1795600597217);
INSERT INTO "experiments" VALUES(1,'taxi','file:///home/someone/taxi/artifacts','active',1795600597228,1795600597228);
CREATE TABLE "latest_metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT, 
	step BIGINT NOT NULL, 
	is_nan BOOLEAN NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT latest_metric_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), 
	CHECK (is_nan IN (0, 1))
);
INSERT INTO "latest_metrics" VALUES('rmse',1.0,1795600609068,0,0,'99ffb379422a40d784de690dd4b4ddc1');
CREATE TABLE "metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	step BIGINT DEFAULT '0' NOT NULL, 
	is_nan BOOLEAN DEFAULT '0' NOT NULL, 
	CONSTRAINT metric_pk PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), 
	CHECK (is_nan IN (0, 1))
);
INSERT INTO "metrics" VALUES('rmse',1.0,1795600609068,'99ffb379422a40d784de690dd4b4ddc1',0,0);
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
	run_link VARCHAR(500), storage_location VARCHAR(500), 
	CONSTRAINT model_version_pk PRIMARY KEY (name, version), 
	FOREIGN KEY(name) REFERENCES registered_models (name) ON UPDATE CASCADE
);
INSERT INTO "model_versions" VALUES('rides',1,1795600608916,1795600608916,NULL,NULL,'None','file:///home/someone/taxi/artifacts/efe5322ccb184a40873e448f26c04ec0/artifacts/model','efe5322ccb184a40873e448f26c04ec0','READY',NULL,NULL,'file:///home/someone/taxi/artifacts/efe5322ccb184a40873e448f26c04ec0/artifacts/model');
CREATE TABLE registered_model_aliases (
	alias VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	CONSTRAINT registered_model_alias_pk PRIMARY KEY (name, alias), 
	CONSTRAINT registered_model_alias_name_fkey FOREIGN KEY(name) REFERENCES registered_models (name) ON DELETE cascade ON UPDATE cascade
);
INSERT INTO "registered_model_aliases" VALUES('champion',1,'rides');
CREATE TABLE registered_models (
	name VARCHAR(256) NOT NULL, 
	creation_time BIGINT, 
	last_updated_time BIGINT, 
	description VARCHAR(5000), 
	CONSTRAINT registered_model_pk PRIMARY KEY (name), 
	UNIQUE (name)
);
INSERT INTO "registered_models" VALUES('rides',1795600608855,1795600608916,NULL);
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
	experiment_id INTEGER, deleted_time BIGINT, 
	CONSTRAINT run_pk PRIMARY KEY (run_uuid), 
	CONSTRAINT source_type CHECK (source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')), 
	CONSTRAINT runs_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED'))
);
INSERT INTO "runs" VALUES('efe5322ccb184a40873e448f26c04ec0','orderly-shoat-267','UNKNOWN','','','root','FINISHED',1795600597245,1795600608960,'','active','file:///home/someone/taxi/artifacts/efe5322ccb184a40873e448f26c04ec0/artifacts',1,NULL);
INSERT INTO "runs" VALUES('99ffb379422a40d784de690dd4b4ddc1','skittish-steed-269','UNKNOWN','','','root','FINISHED',1795600609045,1795600609093,'','active','file:///home/someone/taxi/artifacts/99ffb379422a40d784de690dd4b4ddc1/artifacts',1,NULL);
CREATE TABLE "tags" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000), 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT tag_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "tags" VALUES('mlflow.user','root','efe5322ccb184a40873e448f26c04ec0');
INSERT INTO "tags" VALUES('mlflow.source.name','make.py','efe5322ccb184a40873e448f26c04ec0');
INSERT INTO "tags" VALUES('mlflow.source.type','LOCAL','efe5322ccb184a40873e448f26c04ec0');
INSERT INTO "tags" VALUES('mlflow.runName','orderly-shoat-267','efe5322ccb184a40873e448f26c04ec0');
INSERT INTO "tags" VALUES('mlflow.log-model.history','[{"run_id": "efe5322ccb184a40873e448f26c04ec0", "artifact_path": "model", "utc_time_created": "2026-11-25 09:56:37.287542", "model_uuid": "d9ece7991676495ebd84e037859fa34d", "flavors": {"python_function": {"model_path": "model.pkl", "predict_fn": "predict", "loader_module": "mlflow.sklearn", "python_version": "3.11.7", "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"}}, "sklearn": {"pickled_model": "model.pkl", "sklearn_version": "1.6.1", "serialization_format": "cloudpickle", "code": null}}}]','efe5322ccb184a40873e448f26c04ec0');
INSERT INTO "tags" VALUES('mlflow.user','root','99ffb379422a40d784de690dd4b4ddc1');
INSERT INTO "tags" VALUES('mlflow.source.name','make.py','99ffb379422a40d784de690dd4b4ddc1');
INSERT INTO "tags" VALUES('mlflow.source.type','LOCAL','99ffb379422a40d784de690dd4b4ddc1');
INSERT INTO "tags" VALUES('mlflow.runName','skittish-steed-269','99ffb379422a40d784de690dd4b4ddc1');
CREATE INDEX index_metrics_run_uuid ON metrics (run_uuid);
CREATE INDEX index_latest_metrics_run_uuid ON latest_metrics (run_uuid);
CREATE INDEX index_tags_run_uuid ON tags (run_uuid);
COMMIT;
