from abc import ABCMeta
from typing import Any

from open_webui.untyped import (
    Auth as Auth,
    MfaLimit as MfaLimit,
    MfaResetTicket as MfaResetTicket,
    MfaChallenge as MfaChallenge,
    MfaData as MfaData,
    AuthModel as AuthModel,
    Token as Token,
    ApiKey as ApiKey,
    SigninResponse as SigninResponse,
    SessionUserResponse as SessionUserResponse,
    SessionUserInfoResponse as SessionUserInfoResponse,
    AddUserResponse as AddUserResponse,
    MfaChallengeResponse as MfaChallengeResponse,
    PendingUserResponse as PendingUserResponse,
    MfaStatusResponse as MfaStatusResponse,
    MfaSetupResponse as MfaSetupResponse,
    MfaRecoveryCodesResponse as MfaRecoveryCodesResponse,
    MfaEnrollmentResponse as MfaEnrollmentResponse,
    MfaChallengeForm as MfaChallengeForm,
    MfaVerifyForm as MfaVerifyForm,
    MfaFactorForm as MfaFactorForm,
    MfaRecoveryForm as MfaRecoveryForm,
    SigninForm as SigninForm,
    LdapForm as LdapForm,
    ProfileImageUrlForm as ProfileImageUrlForm,
    UpdatePasswordForm as UpdatePasswordForm,
    SignupForm as SignupForm,
    AddUserForm as AddUserForm,
    log as log,
    PLACEHOLDER_HASH as PLACEHOLDER_HASH,
    SigninResult as SigninResult,
)
from openwebui_pocketbase.interfaces import IAuthsRepo

def __getattr__(name: str) -> Any: ...

class AuthsTable(IAuthsRepo, metaclass=ABCMeta): ...
