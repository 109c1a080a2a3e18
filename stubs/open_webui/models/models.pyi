from abc import ABCMeta
from typing import Any

from open_webui.untyped import (
    ModelControlOption as ModelControlOption,
    ModelControl as ModelControl,
    ModelParams as ModelParams,
    ModelVoice as ModelVoice,
    ModelAvatarAnimation as ModelAvatarAnimation,
    ModelAvatarGesture as ModelAvatarGesture,
    ModelVoiceAvatar as ModelVoiceAvatar,
    ModelMeta as ModelMeta,
    Model as Model,
    ModelModel as ModelModel,
    ModelUserResponse as ModelUserResponse,
    ModelAccessResponse as ModelAccessResponse,
    ModelResponse as ModelResponse,
    ModelListResponse as ModelListResponse,
    ModelAccessListResponse as ModelAccessListResponse,
    ModelForm as ModelForm,
    log as log,
    ModelControlKey as ModelControlKey,
)
from openwebui_pocketbase.interfaces import IModelsRepo

def __getattr__(name: str) -> Any: ...

class ModelsTable(IModelsRepo, metaclass=ABCMeta):
    _get_access_grants: Any
    _to_model_model: Any
    _write_model: Any
    _written_model: Any
    _meta_has_tag: Any
    _has_permission: Any
    _delete_models: Any
