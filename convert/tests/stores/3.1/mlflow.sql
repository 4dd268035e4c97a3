BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('bda7b8c39065');
CREATE TABLE experiments (
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	artifact_location VARCHAR(256), 
	lifecycle_stage VARCHAR(32), creation_time BIGINT, last_update_time BIGINT, 
	CONSTRAINT experiment_pk PRIMARY KEY (experiment_id), 
	CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	UNIQUE (name)
);
INSERT INTO "experiments" VALUES(0,'Default','/home/someone/taxi/mlruns/0','active',1795600640556,1795600640556);
INSERT INTO "experiments" VALUES(1,'taxi','file:///home/someone/taxi/artifacts','active',1795600640585,1795600640585);
CREATE TABLE inputs (
	input_uuid VARCHAR(36) NOT NULL, 
	source_type VARCHAR(36) NOT NULL, 
	source_id VARCHAR(36) NOT NULL, 
	destination_type VARCHAR(36) NOT NULL, 
	destination_id VARCHAR(36) NOT NULL, step BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT inputs_pk PRIMARY KEY (source_type, source_id, destination_type, destination_id)
);
INSERT INTO "inputs" VALUES('cecb9c35dae7488589e948ea15e12db7','RUN_OUTPUT','4d3c6a0c2ba44b53a3fd23549a868ca8','MODEL_OUTPUT','m-ca35b111c46d4b9d9a5b6123d536fffc',0);
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
INSERT INTO "latest_metrics" VALUES('rmse',1.0,1795600651668,0,0,'20332db6f81345e5b5934fecce3a7523');
CREATE TABLE logged_model_tags (
	model_id VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	tag_key VARCHAR(255) NOT NULL, 
	tag_value TEXT NOT NULL, 
	CONSTRAINT logged_model_tags_pk PRIMARY KEY (model_id, tag_key), 
	CONSTRAINT fk_logged_model_tags_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CONSTRAINT fk_logged_model_tags_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE
);
INSERT INTO "logged_model_tags" VALUES('m-ca35b111c46d4b9d9a5b6123d536fffc',1,'mlflow.user','root');
INSERT INTO "logged_model_tags" VALUES('m-ca35b111c46d4b9d9a5b6123d536fffc',1,'mlflow.source.name','make.py');
INSERT INTO "logged_model_tags" VALUES('m-ca35b111c46d4b9d9a5b6123d536fffc',1,'mlflow.source.type','LOCAL');
INSERT INTO "logged_model_tags" VALUES('m-ca35b111c46d4b9d9a5b6123d536fffc',1,'mlflow.modelVersions','[{"name": "rides", "version": 1}]');
CREATE TABLE logged_models (
	model_id VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(500) NOT NULL, 
	artifact_location VARCHAR(1000) NOT NULL, 
	creation_timestamp_ms BIGINT NOT NULL, 
	last_updated_timestamp_ms BIGINT NOT NULL, 
	status INTEGER NOT NULL, 
	lifecycle_stage VARCHAR(32), 
	model_type VARCHAR(500), 
	source_run_id VARCHAR(32), 
	status_message VARCHAR(1000), 
	CONSTRAINT logged_models_pk PRIMARY KEY (model_id), 
	CONSTRAINT logged_models_lifecycle_stage_check CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT fk_logged_models_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
INSERT INTO "logged_models" VALUES('m-ca35b111c46d4b9d9a5b6123d536fffc',1,'model','file:///home/someone/taxi/artifacts/models/m-ca35b111c46d4b9d9a5b6123d536fffc/artifacts',1795600640711,1795600651418,2,'active',NULL,'4d3c6a0c2ba44b53a3fd23549a868ca8',NULL);
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
INSERT INTO "metrics" VALUES('rmse',1.0,1795600651668,'20332db6f81345e5b5934fecce3a7523',0,0);
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
INSERT INTO "model_versions" VALUES('rides',1,1795600651533,1795600651533,NULL,NULL,'None','models:/m-ca35b111c46d4b9d9a5b6123d536fffc','4d3c6a0c2ba44b53a3fd23549a868ca8','READY',NULL,NULL,'file:///home/someone/taxi/artifacts/models/m-ca35b111c46d4b9d9a5b6123d536fffc/artifacts');
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
INSERT INTO "registered_models" VALUES('rides',1795600651491,1795600651533,NULL);
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
INSERT INTO "runs" VALUES('4d3c6a0c2ba44b53a3fd23549a868ca8','rambunctious-ape-669','UNKNOWN','','','root','FINISHED',1795600640619,1795600651584,'','active','file:///home/someone/taxi/artifacts/4d3c6a0c2ba44b53a3fd23549a868ca8/artifacts',1,NULL);
INSERT INTO "runs" VALUES('20332db6f81345e5b5934fecce3a7523','dazzling-mole-689','UNKNOWN','','','root','FINISHED',1795600651637,1795600651699,'','active','file:///home/someone/taxi/artifacts/20332db6f81345e5b5934fecce3a7523/artifacts',1,NULL);
CREATE TABLE "tags" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000), 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT tag_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "tags" VALUES('mlflow.user','root','4d3c6a0c2ba44b53a3fd23549a868ca8');
INSERT INTO "tags" VALUES('mlflow.source.name','make.py','4d3c6a0c2ba44b53a3fd23549a868ca8');
INSERT INTO "tags" VALUES('mlflow.source.type','LOCAL','4d3c6a0c2ba44b53a3fd23549a868ca8');
INSERT INTO "tags" VALUES('mlflow.runName','rambunctious-ape-669','4d3c6a0c2ba44b53a3fd23549a868ca8');
INSERT INTO "tags" VALUES('mlflow.user','root','20332db6f81345e5b5934fecce3a7523');
INSERT INTO "tags" VALUES('mlflow.source.name','make.py','20332db6f81345e5b5934fecce3a7523');
INSERT INTO "tags" VALUES('mlflow.source.type','LOCAL','20332db6f81345e5b5934fecce3a7523');
INSERT INTO "tags" VALUES('mlflow.runName','dazzling-mole-689','20332db6f81345e5b5934fecce3a7523');
CREATE INDEX index_metrics_run_uuid ON metrics (run_uuid);
CREATE INDEX index_latest_metrics_run_uuid ON latest_metrics (run_uuid);
CREATE INDEX index_inputs_destination_type_destination_id_source_type ON inputs (destination_type, destination_id, source_type);
CREATE INDEX index_inputs_input_uuid ON inputs (input_uuid);
CREATE INDEX index_tags_run_uuid ON tags (run_uuid);
COMMIT;
